"""When a notice is not sent: neither a loop nor a storm, and nothing to the thief."""

from datetime import UTC, datetime, timedelta

import pytest

from outwarden.responses.notices.facts import NoticeKind
from outwarden.responses.notices.guards import Caps, Hindrance, History, Sent, may_send
from outwarden.responses.notices.message import Addressee, AnotherMailbox, TheMailboxItself

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STOLEN, LIMIT, RESET = NoticeKind.STOLEN_ACCOUNT, NoticeKind.LIMIT_REACHED, NoticeKind.PASSWORD_RESET
ROSA = "rosa@isp.example"
HOME = AnotherMailbox("rosa@home.example")
CAPS = Caps(to_address_a_day=3, about_account_a_day=4, of_kind_about_account_a_day=2, altogether_an_hour=6)


def sent(times: int, kind: NoticeKind = LIMIT, account: str = ROSA, to: str = "", hours: float = 2) -> tuple[Sent, ...]:
    return tuple(Sent(kind, account, to or f"a{time}@b.example", NOW - hours * HOUR) for time in range(times))


@pytest.mark.parametrize(
    ("name", "history", "kind", "to", "expected"),
    [
        ("nothing was sent", History(), STOLEN, HOME, None),
        ("our own address", History(ours=["notices@isp.example"]), STOLEN,
         AnotherMailbox("Notices+k7@ISP.example"), Hindrance.OUR_OWN_ADDRESS),
        ("it bounced", History(bounced=["Rosa@home.example"]), STOLEN, HOME, Hindrance.BOUNCED),
        ("a program answers", History(answered_by_itself=[HOME.address]), STOLEN, HOME, Hindrance.ANSWERS_BY_ITSELF),
        ("a reset, to the mailbox", History(), RESET, TheMailboxItself(ROSA), Hindrance.WHOEVER_READS_IT),
        ("a reset, elsewhere", History(), RESET, HOME, None),
        ("theft, to the mailbox", History(), STOLEN, TheMailboxItself(ROSA), None),
        ("two to the address", History(sent(2, account="jan", to=HOME.address)), STOLEN, HOME, None),
        ("three, one with a tag", History(sent(3, account="jan", to="Rosa+x@home.example")), STOLEN, HOME,
         Hindrance.ENOUGH_FOR_ADDRESS),
        ("three, yesterday", History(sent(3, account="jan", to=HOME.address, hours=24)), STOLEN, HOME, None),
        ("two of the kind", History(sent(2, STOLEN, "ROSA@isp.example")), STOLEN, HOME, Hindrance.ENOUGH_OF_KIND),
        ("two of another kind", History(sent(2)), STOLEN, HOME, None),
        ("four about the account", History(sent(2) + sent(2, RESET)), STOLEN, HOME, Hindrance.ENOUGH_FOR_ACCOUNT),
        ("six within the hour", History(sent(6, account="jan", hours=0.5)), STOLEN, HOME,
         Hindrance.ENOUGH_ALTOGETHER),
        ("six an hour ago", History(sent(6, account="jan", hours=1)), STOLEN, HOME, None),
    ],
)  # fmt: skip
def test_a_notice_may_be_sent_or_not(
    name: str, history: History, kind: NoticeKind, to: Addressee, expected: Hindrance | None
) -> None:
    assert may_send(history, CAPS, kind, ROSA, to, NOW) is expected, name


def test_five_hundred_stolen_accounts_are_no_storm() -> None:
    history: tuple[Sent, ...] = ()
    for number in range(500):
        to = AnotherMailbox(f"person{number}@home.example")
        if may_send(History(history), Caps(), STOLEN, f"account{number}", to, NOW) is None:
            history += (Sent(STOLEN, f"account{number}", to.address, NOW),)
    assert len(history) == Caps().altogether_an_hour == 200


def test_a_loop_of_answers_ends() -> None:
    history: tuple[Sent, ...] = ()
    for minute in range(600):
        now = NOW + timedelta(minutes=minute)
        if may_send(History(history), Caps(), NoticeKind.BULK_TO_CONFIRM, ROSA, HOME, now) is None:
            history += (Sent(NoticeKind.BULK_TO_CONFIRM, ROSA, HOME.address, now),)
    assert len(history) == 2
