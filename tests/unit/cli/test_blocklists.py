"""The verb ``blocklists`` against lists of our own on loopback: three answers, the matrix, the diagnosis."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.unit.dns.lying_lists import NXDOMAIN, Asked, Behaviour, LyingLists, fails, lying_lists, says, zone

from outwarden.cli.main import root
from outwarden.cli.sample_day import sample_day

ROOT = Path(__file__).resolve().parents[3]
TEST, GOOD, STOLEN, QUIET = "2.0.0.127", "10.2.0.192", "11.2.0.192", "12.2.0.192"
HERE = says("127.0.0.2")

CATALOGUE = """
[spam]
operator = "Spam lists"
zone = "spam.example"
meaning = "spam sources"
asks = ["ipv4"]
tier = "major"
life = {{ state = "alive", source = "a test" }}
delisting = {{ page = "https://spam.example/off", conditions = "anyone, once" }}
codes = {{ "127.0.0.2" = {{ means = "sends spam", votes = "spam-source" }} }}

[bots]
operator = "Bot lists"
zone = "bots.example"
meaning = "infected hosts"
asks = ["ipv4"]
tier = "major"
life = {{ state = "alive", source = "a test" }}
codes = {{ "127.0.0.2" = {{ means = "an infected host", votes = "compromise" }} }}

[names]
operator = "Name lists"
zone = "names.example"
meaning = "domains in spam"
asks = ["domain"]
tier = "major"
life = {{ state = "alive", source = "a test" }}
test_listed = ["listed.example"]
test_not_listed = ["free.example"]
codes = {{ "127.0.0.2" = {{ means = "stands in spam", votes = "domain" }} }}

{more}
"""

SMALL = """
[small{number}]
operator = "Small lists"
zone = "small{number}.example"
meaning = "spam traps"
asks = ["ipv4"]
tier = "hobby"
life = {{ state = "alive", source = "a test" }}
codes = {{ "127.0.0.2" = {{ means = "in a trap", votes = "reputation" }} }}
"""


def silence(_asked: Asked) -> None:
    return None


def in_the_last_quarter(asked: Asked) -> bytes:
    """Each address of 192.0.2.192/26 is listed."""
    try:
        address = IPv4Address(".".join(reversed(asked.part.split("."))))
    except ValueError:
        return fails(NXDOMAIN)(asked)
    listed = address in (IPv4Address("127.0.0.2"),) or IPv4Address("192.0.2.250") <= address
    return (HERE if listed and address < IPv4Address("192.0.3.0") else fails(NXDOMAIN))(asked)


ZONES: dict[str, Behaviour] = {
    "spam.example": zone({TEST: HERE, STOLEN: HERE}),
    "bots.example": zone({TEST: HERE, STOLEN: HERE}),
    "names.example": zone({"listed.example": HERE, "shop.example": HERE}),
    "small1.example": zone({TEST: HERE}),
    "small2.example": zone({TEST: HERE, QUIET: HERE}),
}


@pytest.fixture
def lists() -> Iterator[LyingLists]:
    with lying_lists(ZONES) as server:
        yield server


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return write_catalogue(tmp_path)


def write_catalogue(folder: Path, small: int = 2) -> Path:
    file = folder / "lists.toml"
    more = "".join(SMALL.format(number=number) for number in range(1, small + 1))
    file.write_text(CATALOGUE.format(more=more))
    return file


class Run:
    """One run of the verb in this process."""

    def __init__(self, *arguments: str, expect: int = 0) -> None:
        result = CliRunner().invoke(root, ["blocklists", *arguments])
        self.stdout, self.stderr = result.stdout, result.stderr
        assert result.exit_code == expect, result.output
        self.lines = self.stdout.splitlines()


def asked(server: LyingLists, file: Path) -> list[str]:
    return ["--resolver", f"127.0.0.1:{server.port}", "--catalogue", str(file)]


def changed(server: LyingLists, zones: Mapping[str, Behaviour]) -> None:
    server.zones.update(zones)


# -- Three answers ----------------------------------------------------------------------------------


def test_a_listed_address(lists: LyingLists, catalogue: Path) -> None:
    run = Run("192.0.2.11", *asked(lists, catalogue))
    assert "192.0.2.11  spam                    LISTED      127.0.0.2  sends spam" in run.lines
    assert "192.0.2.11  small1                  not listed" in run.lines
    assert "192.0.2.11: compromised and sending" in run.lines
    assert "  spam-source: spam (127.0.0.2: sends spam)" in run.lines
    assert "  2 of 2 major lists answered" in run.lines
    assert "  1. Pause outbound of this address" in run.lines
    assert "https://spam.example/off; anyone, once" in run.stdout


def test_the_diagnosis_stands_under_the_matrix(lists: LyingLists, catalogue: Path) -> None:
    run = Run("192.0.2.11", "192.0.2.12", *asked(lists, catalogue))
    heads = run.lines.index("list    192.0.2.11  192.0.2.12")
    assert run.lines[heads + 1 : heads + 4] == [
        "bots    127.0.0.2   no",
        "spam    127.0.0.2   no",
        "small2  no          127.0.0.2",
    ]
    assert run.lines.index("192.0.2.11: compromised and sending") > heads + 4


def test_a_clean_address(lists: LyingLists, catalogue: Path) -> None:
    run = Run("192.0.2.10", *asked(lists, catalogue))
    assert "192.0.2.10: clean" in run.lines
    assert not any(line.startswith("list ") for line in run.lines)
    assert "no: 4 more lists answered that for it" in run.lines


def test_what_could_not_be_asked_is_never_not_listed(lists: LyingLists, catalogue: Path) -> None:
    changed(lists, {"spam.example": zone({}, says("127.255.255.254")), "bots.example": zone({}, says("192.0.2.80"))})
    run = Run("192.0.2.10", *asked(lists, catalogue))
    assert "192.0.2.10: unknown: too few major lists answered" in run.lines
    assert "spam  ? refused" in run.lines
    assert "bots  ? rewritten" in run.lines
    assert "clean" not in run.stdout.replace("not a clean bill", "")


@pytest.mark.parametrize("code", ["127.255.255.254", "127.255.255.1", "127.0.0.1", "127.0.0.0"])
def test_an_error_code_is_no_listing_in_a_catalogue_that_does_not_name_it(
    lists: LyingLists, catalogue: Path, code: str
) -> None:
    changed(lists, {"spam.example": zone({TEST: HERE, GOOD: says(code)})})
    run = Run("192.0.2.10", *asked(lists, catalogue))
    assert "spam  ? refused" in run.lines
    assert "192.0.2.10: unknown: too few major lists answered" in run.lines


def test_no_cell_of_the_matrix_stands_for_two_answers(lists: LyingLists, catalogue: Path) -> None:
    changed(lists, {"small1.example": zone({TEST: HERE}, fails(5))})
    run = Run("192.0.2.11", "shop.example", *asked(lists, catalogue))
    cells = {line.split("  ")[0]: line for line in run.lines if re.match(r"(spam|small1|names) ", line)}
    assert cells["spam"].rstrip() == "spam    127.0.0.2"
    assert "?" in cells["small1"]
    assert cells["names"].split() == ["names", "127.0.0.2"]
    assert not any("-" in line.split()[1:] for line in cells.values())


def test_quiet_prints_the_diagnosis_alone(lists: LyingLists, catalogue: Path) -> None:
    assert Run("-q", "192.0.2.11", *asked(lists, catalogue)).lines == ["192.0.2.11: compromised and sending"]


def test_verbose_shows_every_row(lists: LyingLists, catalogue: Path) -> None:
    assert "small1  no" in Run("-v", "192.0.2.11", *asked(lists, catalogue)).lines


def test_only_the_lists_that_are_named(lists: LyingLists, catalogue: Path) -> None:
    run = Run("192.0.2.11", "--lists", "small1, SMALL2", *asked(lists, catalogue))
    assert "192.0.2.11: unknown: too few major lists answered" in run.lines
    assert {name for name, _ in lists.asked if name.endswith("spam.example")} == set()


# -- JSON -------------------------------------------------------------------------------------------


def test_one_json_line_for_each_target(lists: LyingLists, catalogue: Path) -> None:
    changed(lists, {"small2.example": zone({}, fails(5))})
    lines = Run("--json", "192.0.2.11", "Shop.Example.", *asked(lists, catalogue)).lines
    address, domain = map(json.loads, lines)
    assert (address["target"], domain["target"]) == ("192.0.2.11", "Shop.Example.")
    assert [(result["list"], result["answer"], result["why_not"]) for result in address["results"]] == [
        ("bots", "listed", None),
        ("spam", "listed", None),
        ("small2", "could-not-ask", "refused"),
        ("small1", "not-listed", None),
    ]
    first = address["results"][0]
    assert {key: first[key] for key in ("list", "zone", "answer", "codes", "meaning", "scope", "text", "why_not")} == {
        "list": "bots",
        "zone": "bots.example",
        "answer": "listed",
        "codes": ["127.0.0.2"],
        "meaning": "an infected host",
        "scope": "address",
        "text": "listed here",
        "why_not": None,
    }
    assert address["diagnosis"]["cause"] == "compromise"
    assert address["diagnosis"]["ours"] is True
    assert address["diagnosis"]["coverage"] == 1.0
    assert domain["diagnosis"]["cause"] == "content"
    assert address["diagnosis"]["because"] and address["diagnosis"]["next_steps"]


def test_a_network_has_a_json_line_for_each_address(lists: LyingLists, catalogue: Path) -> None:
    lines = Run("--json", "192.0.2.8/29", *asked(lists, catalogue)).lines
    causes = {json.loads(line)["target"]: json.loads(line)["diagnosis"]["cause"] for line in lines}
    assert list(causes) == [f"192.0.2.{last}" for last in range(8, 16)]
    assert {target for target, cause in causes.items() if cause != "clean"} == {"192.0.2.11", "192.0.2.12"}


# -- Networks ---------------------------------------------------------------------------------------


def test_of_a_network_only_the_listed_addresses_are_shown(lists: LyingLists, catalogue: Path) -> None:
    changed(lists, {"spam.example": zone({}, in_the_last_quarter)})
    run = Run("192.0.2.0/24", *asked(lists, catalogue))
    assert "8 of 256 addresses are listed anywhere" in run.lines
    assert any(line.startswith("192.0.2.250  spam") for line in run.lines)
    assert not any(line.startswith("192.0.2.1  ") for line in run.lines)
    (group,) = [line for line in run.lines if line.startswith("6 of 256: ")]
    assert group.startswith("6 of 256: spam through the mail server: stolen account or bulk customer (192.0.2.250, ")
    assert any(line.startswith("248 of 256: clean") for line in run.lines)
    assert "6 of 256 addresses are on spam at once" in run.stdout


def test_a_whole_network_on_one_list_is_the_neighbourhood(lists: LyingLists, catalogue: Path) -> None:
    def all_of_it(asked: Asked) -> bytes:
        return (HERE if asked.part.endswith(".2.0.192") or asked.part == TEST else fails(NXDOMAIN))(asked)

    changed(lists, {"small2.example": zone({}, all_of_it)})
    lines = Run("--json", "192.0.2.0/24", "--lists", "small2,bots", *asked(lists, catalogue)).lines
    found = json.loads(lines[40])
    assert (found["target"], found["diagnosis"]["cause"], found["diagnosis"]["ours"]) == (
        "192.0.2.40",
        "neighbourhood",
        False,
    )


# -- Logs -------------------------------------------------------------------------------------------


def test_what_the_log_says_is_joined(lists: LyingLists, catalogue: Path, tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text("".join(sample_day(1)))
    run = Run("192.0.2.11", "--log", str(log), *asked(lists, catalogue))
    steps = [line for line in run.lines if line.startswith("  1. ")]
    assert steps[0].startswith("  1. Contain rosa.silva@isp.example first")


def test_a_missing_log_is_one_clear_line(lists: LyingLists, catalogue: Path) -> None:
    run = Run("192.0.2.11", "--log", "no-such.log", *asked(lists, catalogue), expect=1)
    assert run.stderr.startswith("outwarden: no-such.log: there is no such file")


# -- The page ---------------------------------------------------------------------------------------


def test_the_page_says_the_same(lists: LyingLists, catalogue: Path, tmp_path: Path) -> None:
    file = tmp_path / "answer.html"
    Run("192.0.2.11", "192.0.2.10", "--html", str(file), *asked(lists, catalogue))
    page = file.read_text()
    for words in ("COMPROMISE", "192.0.2.11: compromised and sending", "192.0.2.10: clean", "2 of 2 major lists"):
        assert words in page
    assert "default-src &#39;none&#39;" not in page
    assert "Content-Security-Policy" in page
    assert not re.search(r"<script|<img|src=|href=", page)


def test_what_a_list_writes_is_only_text(lists: LyingLists, tmp_path: Path) -> None:
    file = write_catalogue(tmp_path)
    file.write_text(file.read_text().replace("sends spam", "<script>alert(1)</script>"))
    page = tmp_path / "answer.html"
    Run("192.0.2.11", "--html", str(page), *asked(lists, file))
    assert "<script>" not in page.read_text()
    assert "&lt;script&gt;alert(1)" in page.read_text()


# -- What goes wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target, says_so",
    [
        ("192.0.2.0/33", "no network"),
        ("10.0.0.0/8", "too large"),
        ("192.0.2.7/24", "did you mean 192.0.2.0/24?"),
        ("192.0.2.300", "no address"),
        ("localhost", "write it in full"),
        ("", "no address, network, domain or URL"),
        ("2001:db8::/32", "too large"),
        ("http://rosa:secret@", "no URL"),
    ],
)
def test_a_wrong_target_is_one_clear_line(lists: LyingLists, catalogue: Path, target: str, says_so: str) -> None:
    run = Run(target, *asked(lists, catalogue), expect=2)
    assert run.stderr.startswith("outwarden: ")
    assert run.stderr.count("\n") == 1
    assert says_so in run.stderr
    assert "secret" not in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize(
    "arguments, code, says_so",
    [
        (["--lists", "spamm"], 2, "there is no list 'spamm'; did you mean spam?"),
        (["--lists", ","], 2, "--lists names no list"),
        (["--resolver", "127.0.0.1:port"], 2, "'port' is not a port"),
        (["--catalogue", "no-such.toml"], 1, "no-such.toml: No such file or directory"),
    ],
)
def test_a_wrong_option_is_one_clear_line(
    lists: LyingLists, catalogue: Path, arguments: list[str], code: int, says_so: str
) -> None:
    run = Run("192.0.2.10", *asked(lists, catalogue), *arguments, expect=code)
    assert run.stderr.startswith("outwarden: ")
    assert run.stderr.count("\n") == 1
    assert says_so in run.stderr


def test_no_target_is_a_mistake_of_usage() -> None:
    assert Run(expect=2).stdout == ""


def test_a_resolver_that_is_dead(catalogue: Path) -> None:
    with lying_lists({}) as gone:
        port = gone.port
    run = Run("192.0.2.10", "--resolver", f"127.0.0.1:{port}", "--catalogue", str(catalogue), expect=1)
    assert "192.0.2.10: unknown: too few major lists answered" in run.lines
    assert run.stderr == (
        f"outwarden: resolver 127.0.0.1:{port} is not there: nothing answers at that address; start it, or name "
        "another with --resolver HOST[:PORT]\n"
    )


def test_a_resolver_that_refuses_everything(catalogue: Path) -> None:
    with lying_lists({}) as refusing:
        run = Run("--json", "192.0.2.10", *asked(refusing, catalogue), expect=1)
    assert json.loads(run.lines[0])["diagnosis"]["cause"] == "could-not-ask"
    assert run.stderr.startswith(f"outwarden: resolver 127.0.0.1:{refusing.port} refuses all questions; allow this ")


def test_a_resolver_that_rewrites(catalogue: Path, tmp_path: Path) -> None:
    # Every name is there, at an address that a list might answer with.
    zones = {name: zone({}, HERE) for name in ("com", "net", "org", "de", "uk", "example")}
    page = tmp_path / "answer.html"
    with lying_lists(zones) as rewriting:
        run = Run("192.0.2.10", *asked(rewriting, catalogue), "--html", str(page), expect=1)
    assert {line.split("not asked   ")[1].split(":")[0] for line in run.lines if "not asked" in line} == {"rewritten"}
    assert not re.search(r"not listed\b(?!, )|LISTED", run.stdout.partition("\n\n")[0])
    [told] = run.stderr.splitlines()
    assert told.startswith(f"outwarden: resolver 127.0.0.1:{rewriting.port} says 127.0.0.2 where no name is (")
    assert "says 127.0.0.2 where no name is" in page.read_text()


def test_a_resolver_that_most_lists_refuse_is_named_beside_what_the_others_say(
    lists: LyingLists, catalogue: Path
) -> None:
    changed(lists, dict.fromkeys(("spam.example", "bots.example"), zone({}, says("127.255.255.254"))))
    run = Run("192.0.2.12", *asked(lists, catalogue))
    assert run.stderr.startswith(
        f"outwarden: resolver 127.0.0.1:{lists.port} is refused by 2 of 4 lists (bots, spam), as public ones are; "
    )
    assert len(run.stderr.splitlines()) == 1
    assert "small2" in run.stdout


# -- Streaming --------------------------------------------------------------------------------------


def test_all_others_are_on_the_screen_before_the_silent_list_times_out(tmp_path: Path) -> None:
    file = write_catalogue(tmp_path, small=97)
    zones = ZONES | {f"small{number}.example": zone({TEST: HERE}) for number in range(1, 98)}
    with lying_lists(zones | {"bots.example": zone({}, silence)}) as server:
        command = [sys.executable, "-m", "outwarden", "blocklists", "192.0.2.10", *asked(server, file)]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
            assert running.stdout is not None
            answers, times = zip(*((next(running.stdout), time.monotonic()) for _ in range(99)), strict=True)
            rest = running.stdout.read()
    assert sum("not listed" in line for line in answers[:98]) == 98
    assert "bots                    not asked   timeout" in answers[98]
    assert times[97] - times[0] < times[98] - times[97]
    assert "192.0.2.10: unknown" in rest


# -- check --address, --domain ----------------------------------------------------------------------

HONEST = "".join(
    f"2026-04-07T01:{n // 60:02}:{n % 60:02}.000000+00:00 mail1 {text}\n"
    for n in range(0, 600, 30)
    for text in (
        f"postfix/submission/smtpd[1]: {n:012X}: client=h.example[192.0.2.7], sasl_method=PLAIN, "
        "sasl_username=tim@isp.example",
        f"postfix/qmgr[2]: {n:012X}: from=<tim@isp.example>, size=900, nrcpt=1 (queue active)",
        f"postfix/smtp[3]: {n:012X}: to=<a@b.example>, relay=b.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, "
        "dsn=2.0.0, status=sent (250 ok)",
    )
)


@pytest.fixture
def honest(tmp_path: Path) -> str:
    log = tmp_path / "honest.log"
    log.write_text(HONEST)
    return str(log)


def check(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(root, ["check", "--json", *arguments])
    return result.exit_code, json.loads(result.stdout or "{}")


def test_a_clean_address_leaves_the_verdict_alone(lists: LyingLists, catalogue: Path, honest: str) -> None:
    code, answer = check(honest, "--address", "192.0.2.10", *asked(lists, catalogue))
    assert (code, answer["verdict"]) == (0, "no")
    assert [one["diagnosis"]["cause"] for one in answer["blocklists"]] == ["clean"]
    assert [(one["rule"], one["points"], one["text"]) for one in answer["because"]] == [
        ("blocklists", 0.0, "192.0.2.10: clean")
    ]


def test_a_listed_address_casts_doubt_on_a_clean_log(lists: LyingLists, catalogue: Path, honest: str) -> None:
    targets = ["--address", "192.0.2.11", "--address", "192.0.2.10", "--domain", "shop.example"]
    code, answer = check(honest, *targets, *asked(lists, catalogue))
    assert (code, answer["verdict"]) == (1, "maybe")
    assert [one["target"] for one in answer["blocklists"]] == ["192.0.2.11", "192.0.2.10", "shop.example"]
    assert answer["because"][0]["text"] == "192.0.2.11: compromised and sending"
    assert "spam-source: spam (127.0.0.2: sends spam)" in answer["because"][0]["evidence"]
    steps = [step["text"] for step in answer["next_steps"]]
    assert "192.0.2.11: Pause outbound of this address" in steps
    assert any(step.startswith("shop.example: Search the outbound log for the domain") for step in steps)


def test_a_small_list_casts_no_doubt(lists: LyingLists, catalogue: Path, honest: str) -> None:
    code, answer = check(honest, "--address", "192.0.2.12", *asked(lists, catalogue))
    assert (code, answer["verdict"], answer["blocklists"][0]["diagnosis"]["cause"]) == (0, "no", "bulk-reputation")


def test_the_report_and_the_page_name_the_diagnosis(
    lists: LyingLists, catalogue: Path, honest: str, tmp_path: Path
) -> None:
    page = tmp_path / "answer.html"
    arguments = ["check", honest, "--address", "192.0.2.11", "--html", str(page), *asked(lists, catalogue)]
    result = CliRunner().invoke(root, arguments)
    headline = "MAYBE, this server could be sending spam: 192.0.2.11: compromised and sending"
    assert result.stdout.splitlines()[0] == headline
    assert "+3.0  192.0.2.11: compromised and sending" in result.stdout
    assert "192.0.2.11: compromised and sending" in page.read_text()


@pytest.mark.parametrize(
    "wrong", [["--address", "isp.example"], ["--domain", "192.0.2.1"], ["--address", "192.0.2.0/8"]]
)
def test_a_wrong_address_is_no_verdict(lists: LyingLists, catalogue: Path, honest: str, wrong: list[str]) -> None:
    result = CliRunner().invoke(root, ["check", honest, *wrong, *asked(lists, catalogue)])
    assert result.exit_code == 2  # which a monitor is told as 3
    assert result.stderr.startswith("outwarden: ")
    assert result.stdout == ""


def test_a_dead_resolver_leaves_the_verdict_of_the_log(catalogue: Path, honest: str) -> None:
    with lying_lists({}) as gone:
        port = gone.port
    code, answer = check(
        honest, "--address", "192.0.2.10", "--resolver", f"127.0.0.1:{port}", "--catalogue", str(catalogue)
    )
    assert (code, answer["verdict"]) == (0, "no")
    assert answer["blocklists"][0]["diagnosis"]["cause"] == "could-not-ask"
    assert answer["because"][0]["text"] == "192.0.2.10: unknown: too few major lists answered"
