"""Which decision, finding, standing or listing is evidence of which trouble."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

import outwarden.detection
from outwarden.cases.opening import (
    OF_CAUSE,
    OF_RULE,
    of_decision,
    of_finding,
    of_forgery,
    of_listing,
    of_standing,
    trouble_of_decision,
)
from outwarden.cases.subscriber import Subject, SubjectKind
from outwarden.cases.timeline import MOST_LETTERS, MOST_LINES, kept, redacted
from outwarden.cases.troubles import Trouble
from outwarden.detection.live.ledger import STREAM_NAMES
from outwarden.events import AccountCause, Action, Cause, Decision, Finding, Standing, Stream

AT = datetime(2026, 4, 7, 1, 44, tzinfo=UTC)
FOUND = Finding("refused", 3.1, "5 of 40 refused", AT, ("line one", "line two"))


def decided(action: Action, cause: AccountCause | None = None) -> Decision:
    return Decision("Rosa@isp.example", action, AT, 9.4, (FOUND, FOUND), cause)


def test_every_cause_has_its_trouble() -> None:
    assert set(OF_CAUSE) == set(AccountCause)
    assert trouble_of_decision(decided(Action.BLOCK)) is Trouble.STOLEN_ACCOUNT
    assert trouble_of_decision(decided(Action.BLOCK, AccountCause.BULK_MAILER)) is Trouble.ROGUE_DEPARTMENT


@pytest.mark.parametrize(("action", "opens"), [(Action.BLOCK, True), (Action.HOLD, None), (Action.DEFER, None)])
def test_a_block_opens_a_case_and_a_hold_by_its_points(action: Action, opens: bool | None) -> None:
    evidence = of_decision(decided(action, AccountCause.INFECTED_MACHINE))
    assert evidence is not None
    assert (evidence.trouble, evidence.subject.name, evidence.opens, evidence.points, evidence.raw) == (
        Trouble.INFECTED_MACHINE, "rosa@isp.example", opens, 9.4, ("line one", "line two"),
    )  # fmt: skip
    assert evidence == of_decision(decided(action, AccountCause.INFECTED_MACHINE))


def test_what_let_go_is_no_evidence() -> None:
    assert of_decision(decided(Action.ACCEPT)) is None
    assert of_standing("rosa", Standing.NORMAL, AT, "") is None
    assert of_finding(FOUND, Subject(SubjectKind.SERVER, "mx"), AT) is None


def test_a_person_s_block_opens_and_a_hold_feeds() -> None:
    blocked, held = (of_standing("rosa", standing, AT, "why") for standing in (Standing.BLOCKED, Standing.HELD))
    assert blocked is not None and held is not None
    assert (blocked.opens, blocked.text, held.opens) == (True, "blocked by a person: why", False)


def test_a_listing_of_ours_and_backscatter() -> None:
    listed = of_listing("192.0.2.25", "css", "spam source", AT, Cause.COMPROMISE)
    assert (listed.trouble, listed.text) == (Trouble.OWN_ADDRESS_LISTED, "192.0.2.25 is on css: spam source")
    assert of_listing("192.0.2.25", "backscatterer", "", AT, Cause.BACKSCATTER).trouble is Trouble.BACKSCATTER


def test_a_queue_that_grows_is_the_site_s_and_names_the_account_beside() -> None:
    server, account = Subject(SubjectKind.SERVER, "mx"), Subject(SubjectKind.ACCOUNT, "rosa@isp.example")
    grown = of_finding(Finding("queue-growth", 2.0, "412 wait", None), server, AT, [account])
    assert grown is not None
    assert (grown.trouble, grown.at, grown.subject, grown.beside) == (Trouble.QUEUE_GROWING, AT, server, (account,))


def test_a_rule_that_says_the_trouble_is_one_that_exists() -> None:
    detection = Path(outwarden.detection.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in detection.rglob("*.py"))
    told = {*STREAM_NAMES, *(stream.value for stream in Stream)}
    assert [rule for rule in OF_RULE if rule not in told and f'"{rule}"' not in code] == []


def test_forged_mail_names_the_machine_to_report() -> None:
    forged = of_forgery("isp.example", "198.51.100.7", "receiver.example", 1200, AT)
    assert forged.beside == (Subject(SubjectKind.REPORTED_ADDRESS, "198.51.100.7"),)
    assert forged.text == "1,200 messages in the name of isp.example from 198.51.100.7, by receiver.example"


MASKED = [
    ("a stranger", "to=<kim@isp.example> said", "to=<k...@isp.example> said"),
    ("our own", "rosa@isp.example sent", "rosa@isp.example sent"),
    ("our own in capitals", "Rosa@ISP.example sent", "Rosa@ISP.example sent"),
    ("no mailbox", "user @ isp", "user @ isp"),
]


@pytest.mark.parametrize(("text", "shown"), [each[1:] for each in MASKED], ids=[each[0] for each in MASKED])
def test_other_people_s_mailboxes_are_masked(text: str, shown: str) -> None:
    assert redacted(text, ["rosa@isp.example"]) == shown


def test_a_megabyte_of_malice_is_masked_in_time_and_kept_short() -> None:
    assert len(redacted("a" * 1_000_000 + "@")) > 900_000
    assert [len(line) for line in kept(["x" * 9_000] * 900)] == [MOST_LETTERS] * MOST_LINES
