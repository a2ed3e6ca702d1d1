"""What an operator may get wrong with ``replay``, with the exact message and exit code that we promise."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from outwarden.cli.main import run

EVENT = (
    '{{"type":"submitted","at":"2026-04-0{day}T09:00:00Z","host":"mx","queue_id":"{day}","account":"{account}",'
    '"kind":"{kind}","client_address":"192.0.2.7","recipients":1}}\n'
)


def events(account: str = "tim@isp.example", kind: str = "login", days: str = "147") -> str:
    return "".join(EVENT.format(day=day, account=account, kind=kind) for day in days)


class Mistake(NamedTuple):
    """``files`` are laid out, ``arguments`` given; ``says`` is a part of the one line on stderr."""

    name: str
    files: dict[str, str]
    arguments: list[str]
    code: int
    says: str


SHIPPED = "company, university, hoster, isp"
MISTAKES = [
    Mistake("empty file", {"e": ""}, [], 1, "e: the file is empty; name the file that the mail server writes to"),
    Mistake("no file", {}, [], 1, "e: there is no such file"),
    Mistake("no event", {"e": "milk\n"}, [], 1, "nothing in e was understood as a mail log (1 line)"),
    Mistake(
        "broken events alone",
        {"e": events()[:40]},
        [],
        1,
        "nothing in e was understood as an event or a mail log (1 line); name a file that outwarden logs --events",
    ),
    Mistake(
        "only mail from outside",
        {"e": events(kind="address")},
        [],
        1,
        "e: no message of an account of ours in it (3 came in from outside)",
    ),
    Mistake(
        "nothing left after learning",
        {"e": events()},
        ["--learn", "30"],
        1,
        "the recording ends at 2026-04-07 09:00 UTC, before learning does; learn from less (--learn DAYS)",
    ),
    Mistake(
        "no such policy",
        {"e": events()},
        ["--policy", "univrsity"],
        78,
        f"univrsity: there is no such policy; name a file, or one of {SHIPPED}",
    ),
    Mistake("a folder for a policy", {"e": events()}, ["--policy", "."], 78, ".: Is a directory; name a policy"),
    Mistake(
        "unknown key",
        {"e": events(), "p": "[thresholds]\nhold = 5.0\nblok = 9.0\n"},
        ["--policy", "p"],
        78,
        "p: line 3: unknown key 'blok'; did you mean 'block'?",
    ),
    Mistake("not TOML", {"e": events(), "p": "hold 5\n"}, ["--policy", "p"], 78, "p: "),
    Mistake(
        "a second policy with a mistake",
        {"e": events(), "p": 'extends = "no"\n'},
        ["--against", "p"],
        78,
        "p: line 1: extends: no policy 'no' is shipped",
    ),
    Mistake(
        "a misspelt stolen account",
        {"e": events()},
        ["--stolen", "tin@isp.example"],
        2,
        "--stolen tin@isp.example: no such account in the recording; did you mean tim@isp.example?",
    ),
    Mistake(
        "a time that is none",
        {"e": events()},
        ["--stolen", "tim@isp.example=yesterday"],
        2,
        "'yesterday' is no time; write it as 2026-04-07T01:44 (UTC), or with its zone",
    ),
    Mistake("a desk before its time", {"e": events()}, ["--desk", "-5"], 2, "-5.0 is not in the range x>=0"),
    Mistake("no page", {"e": events()}, ["--html", "nowhere/p.html"], 1, "nowhere/p.html: cannot be written"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_said(
    tmp_path: Path, mistake: Mistake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in mistake.files.items():
        Path(name).write_text(content)
    policy = [] if "--policy" in mistake.arguments else ["--policy", "isp"]
    assert run(["replay", "e", *policy, *mistake.arguments]) == mistake.code
    said = capsys.readouterr()
    assert mistake.says in said.err
    assert "Traceback" not in said.err


ODD: list[tuple[str, Callable[[str], str], str]] = [
    ("a truncated line", lambda text: text + text[:50] + "\n", "1 not understood"),
    ("cut off at the end", lambda text: text + text[:50], "e: line 4 is no event: Input data was truncated."),
    ("a far year", lambda text: text + events(days="9").replace("2026-", "9999-"), "its time is not one of mail."),
    ("a name that attacks", lambda text: text + events("\\u001b[2J<script>evil"), "6 messages of accounts of ours"),
    ("a huge count", lambda text: text.replace('"recipients":1', '"recipients":4611686018427387904'), "to 300,000 rec"),
    ("no recipients", lambda text: text.replace('"recipients":1', '"recipients":0'), "to 0 recipients"),
    ("fewer than none", lambda text: text.replace('"recipients":1', '"recipients":-7'), "to 0 recipients"),
    ("one message", lambda text: text.splitlines()[0], "1 message of accounts of ours to 1 recipient,"),
]


@pytest.mark.parametrize(("name", "spoil", "says"), ODD, ids=[one[0] for one in ODD])
def test_what_is_odd_is_told_and_the_rest_is_played(
    tmp_path: Path, name: str, spoil: Callable[[str], str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e").write_text(spoil(events()))
    page = tmp_path / "page.html"
    arguments = ["--policy", "isp", "--against", "company", "--html", str(page), "--stolen", "tim@isp.example"]
    if "evil" in (tmp_path / "e").read_text():
        arguments += ["--stolen", "\x1b[2J<script>evil"]
    assert run(["replay", str(tmp_path / "e"), *arguments]) == 0
    shown = capsys.readouterr()
    assert says in shown.out
    assert shown.err == ""
    written = page.read_text(encoding="utf-8")
    assert "\x1b" not in shown.out + written
    assert "<script" not in written


def test_broken_lines_are_shown_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e").write_text(events() + '{"type":"submitted","at":"\x1b[31m\n')
    assert run(["replay", str(tmp_path / "e"), "--policy", "isp", "--show-unknown"]) == 0
    assert capsys.readouterr().err == 'not understood: {"type":"submitted","at":"\\x1b[31m\n'
