"""The verbs ``read`` and ``mark``: whose a message is, in words and in JSON."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from outwarden.cli.main import root, run
from outwarden.sources.message.mark import MarkKeys, key_line, mark

KEY = b"k" * 32
AT = datetime(2026, 11, 25, 3, 12, 45, tzinfo=UTC)
MARK = mark(MarkKeys([KEY]), "rosa@isp.example", "mx.isp.example", AT, b"twelve bytes")
HEADER = f"From: rosa@isp.example\nMessage-ID: <1@isp.example>\nSubject: Hello\nOutwarden-Mark: {MARK}\n"
BOUNCE = (
    "From: MAILER-DAEMON@far.example\nSubject: =?utf-8?q?Zur=C3=BCck?=\n"
    "Content-Type: multipart/report; boundary=b\n\n--b\n\nNo.\n"
    f"--b\nContent-Type: text/rfc822-headers\n\n{HEADER}\n--b--\n"
)
MBOX_LINE = "From rosa@isp.example Wed Nov 25 03:12:45 2026\n"
FORGED = BOUNCE.replace(MARK, "")


class Site:
    """A folder with messages, and settings that name the keys."""

    def __init__(self, folder: Path, with_keys: bool = True) -> None:
        self.folder = folder
        self.keys = folder / "mark.keys"
        self.keys.write_text(key_line(KEY), encoding="utf-8")
        self.keys.chmod(0o600)
        settings = f'[mark]\nkeys_file = "{self.keys}"\n' if with_keys else ""
        (folder / "outwarden.toml").write_text(settings, encoding="utf-8")

    def file(self, content: str | bytes, name: str = "message") -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run(self, *arguments: str, stdin: str | None = None) -> tuple[int, str]:
        result = CliRunner().invoke(root, ["--config", f"{self.folder}/outwarden.toml", *arguments], input=stdin)
        return result.exit_code, result.output

    def read(self, content: str | bytes) -> dict[str, object]:
        code, output = self.run("read", "--json", self.file(content))
        assert code == 0
        found: dict[str, object] = json.loads(output)
        return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_bounce_of_ours_names_the_account(site: Site) -> None:
    assert site.read(BOUNCE) == {
        "file": f"{site.folder}/message",
        "kind": "bounce",
        "ours": True,
        "account": "rosa@isp.example",
        "host": "mx.isp.example",
        "marked_at": "2026-11-25T03:12:45Z",
        "message_id": None,
        "subject": "Zurück",
        "reason": None,
        "recipients": [],
        "original": {
            "message_id": "<1@isp.example>",
            "sender": "rosa@isp.example",
            "subject": "Hello",
            "queue_id": None,
            "envelope_id": None,
        },
    }


@pytest.mark.parametrize(
    ("name", "content", "kind", "ours"),
    [
        ("our own message", HEADER + "\nHello", "mail", True),
        ("with the line of an mbox", MBOX_LINE + HEADER + "\nHello", "mail", True),
        ("with empty lines before it", "\r\n  \n" + BOUNCE, "bounce", True),
        ("with the line ends of an old Macintosh", BOUNCE.replace("\n", "\r"), "bounce", True),
        ("with CRLF", BOUNCE.replace("\n", "\r\n"), "bounce", True),
        ("with a Content-Type and nothing else", BOUNCE[BOUNCE.index("Content-Type") :], "bounce", True),
        ("compressed", gzip.compress(BOUNCE.encode()), "bounce", True),
        ("backscatter", FORGED, "bounce", False),
        ("a letter", "From: otto@far.example\nSubject: Hello\n\nHow are you?\n", "mail", None),
    ],
)
def test_whose_it_is(site: Site, name: str, content: str | bytes, kind: str, ours: bool | None) -> None:
    found = site.read(content)
    assert (found["kind"], found["ours"]) == (kind, ours)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("nothing", b"", "it is empty"),
        ("white space", b"\r\n \n", "it is empty"),
        ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "it has no header of a message"),
        ("text", b"Hello: world\n\nFrom: nobody\n", "it has no header of a message"),
        ("half of a compressed one", gzip.compress(BOUNCE.encode())[:-30], "the compressed file is cut off or damaged"),
        ("a bomb", gzip.compress(b"Subject: " + bytes(40_000_000)), "it is larger than 32 MiB"),
    ],
)
def test_what_cannot_be_read(site: Site, name: str, content: bytes, reason: str) -> None:
    found = site.read(content)
    assert (found["kind"], found["ours"], found["reason"]) == ("unreadable", None, reason)


def test_a_mark_without_a_message_is_read_too(site: Site) -> None:
    quotation = f"Please stop this:\n\n> Outwarden-Mark: {MARK}\n"
    assert (site.read(quotation)["kind"], site.read(quotation)["account"]) == ("unreadable", "rosa@isp.example")
    assert "no header of a message; ours, handed in by rosa@isp" in site.run("read", site.file(quotation))[1]


def test_without_keys_nobody_knows(tmp_path: Path) -> None:
    site = Site(tmp_path, with_keys=False)
    assert site.read(BOUNCE)["ours"] is None
    assert "not known without the keys of the mark (mark.keys_file)" in site.run("read", site.file(BOUNCE))[1]


def test_in_words(site: Site) -> None:
    code, output = site.run("read", site.file(BOUNCE, "a"), site.file(FORGED, "b"), "-", stdin="Subject: \x1b[2J\n\n")
    assert code == 0
    assert output.splitlines() == [
        f"{site.folder}/a: bounce (Zurück): ours, handed in by rosa@isp.example on mx.isp.example at "
        "2026-11-25 03:12:45 UTC",
        "  the original: <1@isp.example> (Hello) from rosa@isp.example",
        f"{site.folder}/b: bounce (Zurück): not ours: it carries or returns a header without a mark of ours",
        "  the original: <1@isp.example> (Hello) from rosa@isp.example",
        "-: mail (\\x1b[2J): no mark says whose",
    ]


def test_json_has_nothing_that_moves_the_terminal(site: Site) -> None:
    code, output = site.run("read", "--json", site.file("Subject: \u202e\x9b31m\n\n"))
    assert code == 0
    assert output.isascii()


def test_what_cannot_be_opened_is_named_and_the_rest_is_read(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    config = f"{site.folder}/outwarden.toml"
    arguments = ["--config", config, "read", "/nowhere/a", str(site.folder), site.file(BOUNCE)]
    assert run(arguments) == 1
    said = capsys.readouterr()
    assert "handed in by rosa@isp.example" in said.out
    assert said.err == (
        "outwarden: /nowhere/a: No such file or directory; "
        f"{site.folder}: a folder and no Maildir; name the files in it\n"
    )


def test_wrong_keys_are_a_wrong_configuration(site: Site) -> None:
    site.keys.chmod(0o644)
    code, output = site.run("read", site.file(BOUNCE))
    assert code == 78
    assert "is open to everybody" in output


# -- mark


def test_a_new_key_is_a_line_of_a_keys_file(site: Site) -> None:
    code, output = site.run("mark", "new-key")
    assert code == 0
    assert output.count("\n") == 1
    MarkKeys.from_text(output)


def test_a_mark_is_read_folded_or_not(site: Site) -> None:
    for pieces in ([MARK], MARK.split(), [MARK.replace("\n ", "")], [MARK[:21], *MARK[21:].split()]):
        assert site.run("mark", "read", *pieces) == (
            0,
            "handed in by rosa@isp.example on mx.isp.example at 2026-11-25 03:12:45 UTC\n",
        )
    assert json.loads(site.run("mark", "read", "--json", MARK)[1]) == {
        "account": "rosa@isp.example",
        "host": "mx.isp.example",
        "marked_at": "2026-11-25T03:12:45Z",
    }


def test_what_is_no_mark(site: Site) -> None:
    assert site.run("mark", "read", MARK[:-1])[0] == 3
    site.keys.write_text(key_line(b"x" * 32), encoding="utf-8")
    code, output = site.run("mark", "read", MARK)
    assert code == 3
    assert "no mark of ours" in output


def test_no_keys_to_read_it_with(tmp_path: Path) -> None:
    code, output = Site(tmp_path, with_keys=False).run("mark", "read", MARK)
    assert code == 78
    assert "keys_file" in output


def test_a_bounce_names_each_recipient_and_why(site: Site) -> None:
    report = (
        "From: MAILER-DAEMON@isp.example\nSubject: Undelivered Mail\nContent-Type: multipart/report; boundary=b\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; isp.example\n\n"
        "Final-Recipient: rfc822; otto@far.example\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user here\n\n"
        "Final-Recipient: rfc822; ida@far.example\nAction: delayed\nStatus: 4.4.1\n\n--b--\n"
    )
    code, output = site.run("read", site.file(report))
    assert code == 0
    assert output.splitlines()[1:] == [
        "  otto@far.example: failed for good, 5.1.1, unknown-recipient: 550 5.1.1 no such user here",
        "  ida@far.example: delayed, 4.4.1, network",
    ]
    assert site.read(report)["recipients"] == [
        {
            "address": "otto@far.example",
            "action": "failed",
            "status": "5.1.1",
            "reply": "550 5.1.1 no such user here",
            "class": "unknown-recipient",
            "permanent": True,
            "final_address": None,
        },
        {
            "address": "ida@far.example",
            "action": "delayed",
            "status": "4.4.1",
            "reply": None,
            "class": "network",
            "permanent": False,
            "final_address": None,
        },
    ]


def test_an_mbox_has_many(site: Site) -> None:
    mbox = MBOX_LINE + HEADER + "\nFrom what I hear all is well.\n\n" + MBOX_LINE + BOUNCE
    code, output = site.run("read", "--json", site.file(mbox))
    found = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert [(one["file"], one["kind"]) for one in found] == [
        (f"{site.folder}/message", "mail"),
        (f"{site.folder}/message#2", "bounce"),
    ]


def test_a_maildir_has_many(site: Site) -> None:
    for folder, name in (("new", "1"), ("cur", "2:2,S"), ("tmp", "3")):
        (site.folder / "Maildir" / folder).mkdir(parents=True)
        (site.folder / "Maildir" / folder / name).write_text(BOUNCE, encoding="utf-8")
    code, output = site.run("read", "--json", str(site.folder / "Maildir"))
    assert code == 0
    assert [json.loads(line)["file"].rpartition("Maildir/")[2] for line in output.splitlines()] == [
        "new/1",
        "cur/2:2,S",
    ]


def test_a_complaint_says_what_it_is_about(site: Site) -> None:
    report = (
        "From: loop@far.example\nSubject: FW: Hello\nContent-Type: multipart/report; report-type=feedback-report; "
        "boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nSource-IP: 192.0.2.10\n"
        "Original-Rcpt-To: <otto@far.example>\nArrival-Date: Wed, 25 Nov 2026 09:00:00 +0100\n"
        f"--b\nContent-Type: message/rfc822\n\n{HEADER}\nHello\n--b--\n"
    )
    code, output = site.run("read", site.file(report))
    assert code == 0
    assert output.splitlines()[1:] == [
        "  abuse by far.example, about mail from 192.0.2.10 to otto@far.example at 2026-11-25 08:00:00 UTC",
        "  the original: <1@isp.example> (Hello) from rosa@isp.example",
    ]
    found = site.read(report)
    assert (found["kind"], found["account"], found["message_id"]) == (
        "complaint",
        "rosa@isp.example",
        "<1@isp.example>",
    )
    assert found["arrived_at"] == "2026-11-25T08:00:00Z"
    assert found["derived"] == ["sender"]
    assert "recipients" not in found
