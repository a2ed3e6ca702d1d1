"""Limits of the policy put off what is over them; the mark in what arrives names the account, a forged one does not."""

import json
import re
import secrets
from pathlib import Path

from lab.gate_world import ACCOUNTS, ACTING, ROSA, GateWorld, gate_world
from lab.needs import A_POSTFIX
from lab.waiting import wait_until

pytestmark = A_POSTFIX

LIMIT = 5
POLICY = f"[limits.account]\nmessages = {{ hour = {LIMIT} }}\n"


def test_a_limit_puts_off_and_loses_nothing(home: Path) -> None:
    policy = home / "policy.toml"
    policy.write_text(POLICY)
    with gate_world(home, f'{ACTING}[judging]\npolicy = "{policy}"\n') as world:
        answers = [world.write_home(ROSA, number) for number in range(LIMIT + 2)]
        assert answers[:LIMIT] == [(250, "")] * LIMIT
        for code, words in answers[LIMIT:]:
            assert code == 451
            assert words.startswith("4.7.1 A limit of this account is reached: ")
            assert "555-0100" in words
        assert world.write_home(ACCOUNTS[1]) == (250, "")
        wait_until(lambda: len(world.arrived(ROSA)) == LIMIT, "what was taken to arrive")
        assert world.service.ask("status")["gate"]["deferred"] == 2


def test_the_mark_names_the_account(home: Path) -> None:
    keys = home / "mark.keys"
    settings = f'[mark]\nkeys_file = "{keys}"\nfeedback_id = "isp-example"\ncfbl_address = "fbl@isp.example"\n'
    keys.write_text(new_key())
    keys.chmod(0o640)
    with gate_world(home, ACTING + settings) as world:
        assert world.write_home(ROSA) == (250, "")
        wait_until(lambda: len(world.sink.letters) == 1, "Rosa's mail to arrive")
        letter = world.sink.letters[0]
        head = letter.partition(b"\r\n\r\n")[0].decode()
        assert "\r\nOutwarden-Mark: " in head
        assert "\r\nCFBL-Address: fbl@isp.example; report=arf" in head
        assert ":isp-example\r\n" in head
        assert "rosa" not in head.partition("Outwarden-Mark:")[2].partition("\r\n")[0]
        assert whose(world, bounce_of(letter)) == (True, ROSA)
        # One letter of the token is another: a forger's guess.
        mark = head.partition("Outwarden-Mark: ")[2].partition("\r\n")[0]
        forged = letter.replace(mark.encode(), (mark[:-1] + ("A" if mark[-1] != "A" else "B")).encode())
        # The same token stands in the header for complaints.
        forged = re.sub(rb"CFBL-Feedback-ID:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*", b"", forged)
        assert whose(world, bounce_of(forged)) == (False, None)


def new_key() -> str:
    from outwarden.sources.message.mark import KEY_BYTES, key_line

    return key_line(secrets.token_bytes(KEY_BYTES)) + "\n"


def bounce_of(letter: bytes) -> bytes:
    return (
        b"From: MAILER-DAEMON@bigmail.example\r\nTo: rosa@isp.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\n\r\nIt could not be delivered.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        + letter
        + b"\r\n--b--\r\n"
    )


def whose(world: GateWorld, message: bytes) -> tuple[bool | None, str | None]:
    file = world.home / "bounce.eml"
    file.write_bytes(message)
    done = world.service.run("--json", "read", str(file))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return told["ours"], told["account"]
