"""All checks together: what holds whatever the domain publishes."""

import sys
import tomllib
from ipaddress import ip_address
from pathlib import Path

import pytest

from outwarden.authentication.answers import Answer, RecordType
from outwarden.authentication.dkim_canonical import read_message
from outwarden.authentication.domain_checks import Own, Reaching, check_domain
from outwarden.authentication.receiver_rules import RULES
from outwarden.authentication.report import State, txt_line

sys.path.insert(0, str(Path(__file__).parent))
from zones import Zones

MESSAGE = read_message(b"From: rosa@isp.example\r\nCFBL-Address: fbl@isp.example\r\n\r\nHello\r\n")
OWN = Own((ip_address("192.0.2.25"), ip_address("2001:db8::25")), "mail.isp.example", ("s1",))


class Silent:
    """A resolver that is dead, refuses, or is broken."""

    def __init__(self, failure: str) -> None:
        self._failure = failure

    def ask(self, _name: str, _kind: RecordType) -> Answer:
        return Answer(failure=self._failure)


@pytest.mark.parametrize("failure", ["timeout", "refused", "servfail", "malformed", "unreachable"])
@pytest.mark.parametrize("own", [Own(), OWN], ids=["nothing known", "all known"])
def test_who_could_not_ask_accuses_nobody(failure: str, own: Own) -> None:
    report = check_domain("isp.example", own, Silent(failure), Reaching(), 0)
    assert {check.state for check in report.checks} == {State.UNKNOWN}
    assert report.verdict is State.UNKNOWN
    assert all(check.record_to_publish is None for check in report.checks)


def test_a_domain_that_does_not_exist() -> None:
    (check,) = check_domain("gone.example", Own(), Zones({}), Reaching(), 0).checks
    assert (check.name, check.state) == ("domain", State.FAIL)


def test_a_parked_domain_is_judged_as_one() -> None:
    report = check_domain("parked.example", Own(), Zones({"parked.example": {}}), Reaching(), 0)
    assert {check.name for check in report.checks} == {"parked"}


def test_a_domain_that_sends_is_not_parked() -> None:
    names = {check.name for check in check_domain("isp.example", OWN, Zones({"isp.example": {}}), Reaching(), 0).checks}
    assert "spf-address" in names or "spf" in names
    assert "parked" not in names


def test_every_check_has_its_rule() -> None:
    reports = [
        check_domain("isp.example", OWN._replace(message=MESSAGE), Zones({"isp.example": {}}), Reaching(), 0),
        check_domain("isp.example", OWN, Silent("timeout"), Reaching(), 0),
    ]
    assert {check.name for report in reports for check in report.checks} <= RULES.keys()


def test_the_page_shows_the_rules() -> None:
    root = Path(__file__).resolve().parents[3]
    rules = tomllib.loads((root / "src/outwarden/authentication/receiver_rules.toml").read_text(encoding="utf-8"))
    page = (root / "docs" / "reference" / "authentication.md").read_text(encoding="utf-8")
    for name, (severity, why, standard) in rules.items():
        assert f"| `{name}` | {severity} | {why} | {standard} |" in page


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("v=spf1 -all", 'isp.example. IN TXT "v=spf1 -all"'),
        ('say "hi" \\', 'isp.example. IN TXT "say \\"hi\\" \\\\"'),
        ("a" * 300, f'isp.example. IN TXT "{"a" * 255}" "{"a" * 45}"'),
    ],
)
def test_the_line_of_a_zone_file(text: str, line: str) -> None:
    assert txt_line("isp.example", text) == line
