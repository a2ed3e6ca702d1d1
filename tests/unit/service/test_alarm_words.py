"""What an alarm says: one line for a subject, and a text that somebody can act on at night."""

from datetime import UTC, datetime, timedelta

import pytest

from outwarden.detection.diagnosis import diagnose
from outwarden.detection.listing_changes import Turn
from outwarden.events import ListAnswer, ListAnswerKind, Signal
from outwarden.service.blocklist_monitor import alarm_line, alarm_text
from outwarden.store.listings import Listing, ListingChange

BEGAN = datetime(2026, 11, 25, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANSWER = ListAnswer(
    "192.0.2.1",
    "big",
    "big.example",
    ListAnswerKind.LISTED,
    codes=("127.0.0.4",),
    signals=(Signal.COMPROMISE,),
    major=True,
    delisting="https://big.example/remove",
)


def listing(ended_at: datetime | None = None, returns: int = 0) -> Listing:
    return Listing(
        1,
        "192.0.2.1",
        "big",
        BEGAN,
        BEGAN,
        None,
        ended_at,
        returns,
        ("127.0.0.4",),
        "XBL",
        "see page",
        ANSWER.delisting,
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (ListingChange(Turn.BEGAN, listing()), "192.0.2.1 is listed by big (XBL)"),
        (
            ListingChange(Turn.BEGAN, listing(returns=1), BEGAN - 5 * HOUR),
            "192.0.2.1 is listed again by big (XBL), 5 h after it was let go",
        ),
        (ListingChange(Turn.BEGAN, listing(), BEGAN - 500 * HOUR), "192.0.2.1 is listed by big (XBL)"),
        (
            ListingChange(Turn.ENDED, listing(BEGAN + 1.5 * HOUR)),
            "192.0.2.1 is no longer listed by big (it was for 90 min)",
        ),
        (
            ListingChange(Turn.ENDED, listing(BEGAN + 100 * HOUR)),
            "192.0.2.1 is no longer listed by big (it was for 4 days)",
        ),
    ],
)
def test_the_line(change: ListingChange, expected: str) -> None:
    assert alarm_line(change) == expected


def test_the_text_has_evidence_meaning_and_what_to_do() -> None:
    text = "\n".join(alarm_text(ListingChange(Turn.BEGAN, listing()), diagnose([ANSWER]), ["big", "small"]))
    for part in (
        "Since: 2026-11-25 03:00 UTC\n",
        "Codes: 127.0.0.4\n",
        "The list says: see page\n",
        "All lists that have it now: big, small\n",
        "What it means (",
        "What to do:\n",
        "https://big.example/remove",
    ):
        assert part in text
