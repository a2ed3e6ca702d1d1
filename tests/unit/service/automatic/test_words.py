"""What owners of accounts are told: a table, and whatever stands in what it is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.service.automatic.deeds import NOW, ROSA, decided

from outwarden.events import AccountCause, Action, Decision, Finding
from outwarden.service.automatic.in_force import InForce, number_of, reference
from outwarden.service.automatic.words import MOST, limit_words, verdict_words, why
from outwarden.service.settings import ActingSettings
from outwarden.store.responses import ResponseKind

SETTINGS = ActingSettings(contact="help@isp.example, +49 30 1234")
PASSWORD = "it stays so until its password is changed"

CAUSES = [
    # cause, the heaviest finding where there is none, what is told.
    (AccountCause.STOLEN_PASSWORD, "", f"somebody else probably knows its password and sends spam with it; {PASSWORD}"),
    (
        AccountCause.INFECTED_MACHINE, "",
        "a computer or telephone that uses it probably has malware, which sends spam in your name; "
        f"clean that first; {PASSWORD}",
    ),
    (
        AccountCause.LATERAL_PHISHING, "",
        "somebody else probably knows its password and writes to your contacts in your name; "
        f"warn them; {PASSWORD}",
    ),
    (
        AccountCause.HIJACKED_SITE, "",
        "a web site or program that sends by it is probably used by somebody else for spam; "
        "close the way in and remove what does not belong there",
    ),
    (
        AccountCause.HIJACKED_BULK_SENDER, "",
        "bulk mail comes from where it never came from, or leads to where it never led; "
        "have whoever sends it confirm that it is yours",
    ),
    (
        AccountCause.BULK_MAILER, "",
        "what it sends looks like spam, or was not asked for by those who get it; "
        "write only to people who asked for it",
    ),
    (AccountCause.FORWARDER, "", "it passes on spam that comes in; have that filtered before it is forwarded"),
    (
        None, "content-verdict",
        "what it sends looks like spam, or was not asked for by those who get it; "
        "write only to people who asked for it",
    ),
    (
        None, "unknown-recipients",
        "many of the addresses it writes to do not exist, as on bought lists; "
        "write only to addresses that you have from their owners",
    ),
    (
        None, "volume",
        "it sends far more than it ever did, or to far more people it never wrote to; "
        "say that it is you, and what it is for",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "rule", "told"), CAUSES)
def test_what_happened_and_what_to_do(cause: AccountCause | None, rule: str, told: str) -> None:
    findings = (Finding("strangers", 0.5, "9 of 9", NOW), Finding(rule, 4.0, "", NOW)) if rule else ()
    assert why(Decision(ROSA, Action.BLOCK, NOW, 9.0, findings, cause)) == told


def test_every_cause_has_its_words() -> None:
    assert {cause for cause, _, _ in CAUSES} == {*AccountCause, None}


def in_force(kind: ResponseKind, told: str = "somebody else probably knows its password") -> InForce:
    return InForce(123, reference(123), kind, ROSA, NOW, told)


VERDICTS = [
    (
        "blocked, its message not seen", None, in_force(ResponseKind.BLOCK_ACCOUNT),
        "This account may send no mail for now: somebody else probably knows its password. "
        "Questions: help@isp.example, +49 30 1234, reference OW-123",
    ),
    (
        "held", decided(Action.HOLD), in_force(ResponseKind.HOLD_ACCOUNT),
        "Mail of this account is kept back for now, and not lost: somebody else probably knows its password. "
        "Questions: help@isp.example, +49 30 1234, reference OW-123",
    ),
    (
        "put off", decided(Action.DEFER), in_force(ResponseKind.HOLD_ACCOUNT),
        "Mail of this account is put off for now; it is tried again by itself: somebody else probably knows its "
        "password. Questions: help@isp.example, +49 30 1234, reference OW-123",
    ),
    (
        "a decision that is not written down", decided(Action.BLOCK), None,
        f"This account may send no mail for now: somebody else probably knows its password and sends spam with it; "
        f"{PASSWORD}. Questions: help@isp.example, +49 30 1234",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "decision", "stands", "told"), VERDICTS, ids=[name for name, *_ in VERDICTS])
def test_the_whole_line(name: str, decision: Decision | None, stands: InForce | None, told: str) -> None:
    assert verdict_words(decision, stands, SETTINGS) == told


def test_a_limit() -> None:
    limit = Finding("recipients-per-hour", 0.0, "200 recipients within an hour", NOW)
    assert limit_words(limit, SETTINGS) == (
        "A limit of this account is reached: 200 recipients within an hour. Send the rest later, or ask for more. "
        "Questions: help@isp.example, +49 30 1234"
    )


@given(st.text(max_size=600), st.text(max_size=600), st.sampled_from(list(ResponseKind)))
def test_nothing_ends_the_line_or_makes_it_long(told: str, contact: str, kind: ResponseKind) -> None:
    settings = ActingSettings(contact=contact)
    lines = (
        verdict_words(decided(Action.BLOCK), in_force(kind, told), settings),
        limit_words(Finding("limit", 0.0, told, NOW), settings),
    )
    for line in lines:
        assert len(line) <= MOST
        assert line.isprintable()
        assert line.encode().decode() == line
    assert lines[0].endswith(", reference OW-123"), "the reference is never what is cut"


@pytest.mark.parametrize(
    ("text", "number"),
    [("OW-7", 7), (" ow-123 ", 123), ("7", None), ("OW-", None), ("OW-7a", None), ("rosa@isp.example", None)],
)
def test_references(text: str, number: int | None) -> None:
    assert number_of(text) == number
