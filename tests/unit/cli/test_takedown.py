"""The verb ``takedown``: what it prints, what it leaves undone, and how it ends."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.dns.lying_lists import SERVFAIL, LyingLists, fails, lying_lists, zone
from tests.unit.dns.test_abuse_contacts import NET, RDAP_DESK, ZONES
from tests.unit.dns.test_abuse_report import LOG
from tests.unit.service.test_takedowns import MailServer

from outwarden.cli.main import root
from outwarden.dns.contacts.page_cache import Kept, PageCache

TABLE = """
[reporter]
org = "Example Provider"
contact = "abuse@us.example"
[[contact]]
for = ["192.0.2.10"]
email = ["known@isp.example"]
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def dns() -> Iterator[LyingLists]:
    with lying_lists(ZONES) as server:
        yield server


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(root, ["takedown", *arguments], input=stdin)


def asked(dns: LyingLists, *arguments: str, stdin: str | None = None) -> Result:
    return run("--dry-run", "--resolver", f"127.0.0.1:{dns.port}", *arguments, stdin=stdin)


def test_who_answers_and_what_would_be_sent(dns: LyingLists, tmp_path: Path) -> None:
    (tmp_path / "contacts.toml").write_text(TABLE)
    result = asked(dns, "192.0.2.10", "--contacts", str(tmp_path / "contacts.toml"), "--evidence", "-", stdin=LOG)
    assert result.exit_code == 0
    lines = [line.strip() for line in result.output.splitlines()]
    assert lines[0] == "192.0.2.10: write to known@isp.example"
    assert [line.split()[1] for line in lines if line[:2] in ("1.", "2.", "3.", "4.")] == [
        "known@isp.example",
        "zone@isp.example",
        "noc@isp.example",
        "abuse@isp.example",
    ]
    assert "the report that would be sent:" in lines
    assert "To: known@isp.example" in lines
    assert "RDAP: rdap.arin.net has the address 127.0.0.1, which is not public" in lines


def test_json(dns: LyingLists, tmp_path: Path) -> None:
    (tmp_path / "contacts.toml").write_text(TABLE)
    result = asked(dns, "192.0.2.10", "--json", "--contacts", str(tmp_path / "contacts.toml"))
    found = json.loads(result.stdout)
    assert found["target"] == "192.0.2.10"
    assert [(each["email"], each["source"]) for each in found["contacts"]] == [
        ("known@isp.example", "own-table"),
        ("zone@isp.example", "contact-zone"),
        ("noc@isp.example", "contact-zone"),
        ("abuse@isp.example", "role-mailbox"),
    ]
    assert found["report"]["xarf"]["source_identifier"] == "192.0.2.10"
    assert [lack.split(":")[0] for lack in found["report"]["missing"]] == ["evidence"]


def test_what_a_registry_said_before_is_used_offline(tmp_path: Path) -> None:
    cache = PageCache(tmp_path / "cache" / "outwarden" / "registries")
    url = f"https://{NET}"
    cache.keep(Kept(url, url, "", datetime.now(UTC), json.dumps(RDAP_DESK).encode()))
    result = run("192.0.2.10", "--dry-run", "--offline", "-q")
    assert (result.exit_code, result.output) == (0, "192.0.2.10: write to desk@isp.example\n")


def test_a_domain_in_capitals(dns: LyingLists) -> None:
    result = asked(dns, "ISP.Example.", "-q")
    assert (result.exit_code, result.output) == (0, "isp.example: write to abuse@isp.example\n")


def test_all_is_shown_when_asked_for(dns: LyingLists) -> None:
    output = asked(dns, "isp.example", "-v").output
    assert "no RDAP server is known for the top-level domain of isp.example" in output
    assert '"source_identifier": "isp.example"' in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say --dry-run, to see to whom which report would go, or --send"),
        (("--send", "--dry-run"), "--send and --dry-run exclude each other"),
        (("--send",), "--send wants --evidence FILE"),
    ],
)
def test_nothing_is_asked_or_sent_that_was_not_meant(dns: LyingLists, arguments: tuple[str, ...], said: str) -> None:
    result = run("192.0.2.10", "--resolver", f"127.0.0.1:{dns.port}", *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert dns.asked == []


def test_sent_by_a_persons_word_and_looked_after(tmp_path: Path) -> None:
    (tmp_path / "contacts.toml").write_text(TABLE)
    file = tmp_path / "outwarden.toml"
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        file.write_text(
            f'[store]\npath = "{tmp_path}/store.db"\n[takedown]\ncontacts = "{tmp_path}/contacts.toml"\n'
            f'smtp = "127.0.0.1:{server.server_address[1]}"\n'
        )
        (tmp_path / "lines.log").write_text(LOG)
        send = ("192.0.2.10", "--send", "--offline", "--evidence", str(tmp_path / "lines.log"), "--config", str(file))
        first, second = run(*send), run(*send)
        server.shutdown()
        thread.join()
    assert (first.exit_code, first.output.split("UTC  ")[1]) == (0, "192.0.2.10: sent to known@isp.example\n")
    assert (second.exit_code, "this incident was reported as 1" in second.output) == (4, True)
    assert [to for to, _ in server.got] == ["known@isp.example"]
    looked = lambda *words: CliRunner().invoke(root, ["takedowns", *words, "--config", str(file)])  # noqa: E731
    assert looked("answered", "1", "--text", "cleaned").output.endswith("sent to known@isp.example, answered\n")
    assert looked("bounced", "1").exit_code == 1, "there is no other contact"
    assert "Dear abuse team," in looked("show", "1").output
    assert looked("show", "7").exit_code == 3
    assert json.loads(looked("list", "--json").output)["mails"][0]["state"] == "bounced"


def test_nobody_found_is_told_from_could_not_ask(dns: LyingLists) -> None:
    nobody = asked(dns, "nobody.example")
    assert (nobody.exit_code, nobody.output.splitlines()[0]) == (
        3,
        "nobody.example: nobody was found who answers for it; a person has to look",
    )
    dns.zones["example"] = zone({}, fails(SERVFAIL))
    failed = asked(dns, "nobody.example")
    assert failed.exit_code == 1
    assert "not everybody could be asked" in failed.output


def test_every_contact_bounces(tmp_path: Path) -> None:
    (tmp_path / "contacts.toml").write_text(f'bounced = ["Known@isp.example"]\n{TABLE}')
    result = run("192.0.2.10", "--dry-run", "--offline", "--contacts", str(tmp_path / "contacts.toml"))
    assert result.exit_code == 1
    assert result.output.startswith("192.0.2.10: every known contact bounces; a person has to look\n")
    assert "known@isp.example  own table, 192.0.2.10/32  (bounces)" in result.output
    assert "To: " not in result.output


def test_a_resolver_that_is_not_there() -> None:
    result = run("isp.example", "--dry-run", "--resolver", "127.0.0.1:9")
    assert result.exit_code == 1
    assert "isp.example: the resolver cannot be reached; name another with --resolver" in result.output


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("192.0.2.0/24", "is a network; name one address"),
        ("2001:db8::/64", "is a network; name one address"),
        ("10.0.0.0/8", "is too large"),
        ("https://me:secret@shop.example/x", "is a URL; name its host"),
        ("127.0.0.1", "private or local network"),
        ("10.1.2.3", "private or local network"),
        ("fe80::1", "private or local network"),
        ("::ffff:192.168.0.1", "192.168.0.1 is an address of a private"),
        ("192.0.2.300", "is no address"),
        ("localhost", "write it in full"),
        ("", "is no address"),
    ],
)
def test_targets_nobody_answers_for(target: str, said: str) -> None:
    result = run("--dry-run", "--", target)
    assert result.exit_code == 2
    assert said in result.output
    assert "secret" not in result.output


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    missing, table, empty = tmp_path / "none", tmp_path / "table.toml", tmp_path / "empty"
    table.write_text("[[contact]]\nfor = ['192.0.2.1']\nemail = ['x']\n")
    empty.write_text("")
    for option, file, code, said in (
        ("--contacts", missing, 1, "No such file"),
        ("--contacts", tmp_path, 1, "Is a directory"),
        ("--contacts", table, 78, "email: 'x' is no mailbox; write it like abuse@isp.example"),
        ("--evidence", missing, 1, "No such file"),
        ("--evidence", empty, 1, "nothing in it"),
    ):
        result = run("192.0.2.10", "--dry-run", "--offline", option, str(file))
        assert result.exit_code == code
        assert result.output.startswith(f"outwarden: {file}: ")
        assert said in result.output
        assert result.output.count("\n") == 1


def test_a_strangers_text_cannot_speak_to_the_terminal(dns: LyingLists, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.write_bytes(b"2026-11-24T09:10:11Z client=\x1b[31mx[192.0.2.10]:2525 from=<a\x07@b.example>\x9b\r\n")
    result = asked(dns, "192.0.2.10", "-v", "--evidence", str(evidence))
    assert result.exit_code == 0
    assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in result.output.replace("\n", ""))


def configured(folder: Path, dns: LyingLists, contacts: str, *arguments: str) -> Result:
    """Run with a configuration that names a table of contacts and the resolver."""
    file = folder / "outwarden.toml"
    file.write_text(f'[takedown]\ncontacts = "{contacts}"\n[dns]\nresolver = "127.0.0.1:{dns.port}"\n')
    return run("--config", str(file), "192.0.2.10", "--dry-run", *arguments)


def test_the_configured_table_and_resolver_are_used(dns: LyingLists, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(TABLE)
    (tmp_path / "other.toml").write_text(TABLE.replace("known@", "other@"))
    ours = str(tmp_path / "ours.toml")
    assert configured(tmp_path, dns, ours, "-q").stdout == "192.0.2.10: write to known@isp.example\n"
    assert dns.asked
    given = configured(tmp_path, dns, ours, "-q", "--contacts", str(tmp_path / "other.toml"))
    assert given.stdout == "192.0.2.10: write to other@isp.example\n"


def test_a_configured_table_that_is_not_there_is_a_mistake_of_the_configuration(
    dns: LyingLists, tmp_path: Path
) -> None:
    answer = configured(tmp_path, dns, "no-such.toml", "--offline")
    assert (answer.exit_code, answer.stdout) == (78, "")
    place = f"{tmp_path}/outwarden.toml:2: takedown.contacts"
    assert answer.stderr == f"outwarden: {place}: no-such.toml: No such file or directory\n"
