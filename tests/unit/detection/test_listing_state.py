"""What a monitor is told: listed or not, and whether that is known."""

from datetime import UTC, datetime, timedelta

import pytest

from outwarden.detection.diagnosis.conditions import ENOUGH_MAJORS as OF_THE_DIAGNOSIS
from outwarden.detection.listing_state import ENOUGH_MAJORS, Asked, Level, NowListed, standing
from outwarden.events import ListAnswerKind

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
US = "192.0.2.1"
CLEAN, FAILED = ListAnswerKind.NOT_LISTED, ListAnswerKind.COULD_NOT_ASK


def asked(name: str, answer: ListAnswerKind, major: bool = True, minutes: int = 5) -> Asked:
    return Asked(US, name, answer, major, NOW - timedelta(minutes=minutes))


LISTED = NowListed(US, "big", "XBL", True, NOW - timedelta(hours=1))
SMALL = NowListed(US, "small", "", False, None)
FINE = [asked("big", CLEAN), asked("small", CLEAN, major=False)]


@pytest.mark.parametrize(
    ("name", "listed", "answers", "level", "sentence"),
    [
        ("nothing", [], FINE, Level.OK, "none of 1 watched is on any of 2 lists"),
        ("major", [LISTED], FINE, Level.CRITICAL, "192.0.2.1 on big (XBL) since 2026-11-25 11:00 UTC"),
        ("minor", [SMALL], FINE, Level.WARNING, "192.0.2.1 on small"),
        (
            "both, the major one first",
            [SMALL, LISTED],
            FINE,
            Level.CRITICAL,
            "192.0.2.1 on big (XBL) since 2026-11-25 11:00 UTC, and 1 more",
        ),
        (
            "never asked",
            [],
            [],
            Level.UNKNOWN,
            "192.0.2.1 was not asked about yet (1 of 1): is the service up?",
        ),
        (
            "stale",
            [],
            [asked("big", CLEAN, minutes=400)],
            Level.UNKNOWN,
            "192.0.2.1 was not asked about since 2026-11-25 05:20 UTC: is the service up?",
        ),
        (
            "listed, and stale",
            [LISTED],
            [asked("big", CLEAN, minutes=400)],
            Level.CRITICAL,
            "192.0.2.1 on big (XBL) since 2026-11-25 11:00 UTC; 1 not asked about lately",
        ),
        (
            "too few majors answered",
            [],
            [asked("big", CLEAN), asked("other", FAILED)],
            Level.UNKNOWN,
            "1 of 2 major lists answered about 192.0.2.1; see outwarden blocklists 192.0.2.1",
        ),
        (
            "a minor list did not answer",
            [],
            [asked("big", CLEAN), asked("small", FAILED, major=False)],
            Level.OK,
            "none of 1 watched is on any of 1 lists",
        ),
        (
            "no major list at all",
            [],
            [asked("small", CLEAN, major=False)],
            Level.UNKNOWN,
            "0 of 0 major lists answered about 192.0.2.1; see outwarden blocklists 192.0.2.1",
        ),
    ],
)
def test_levels(name: str, listed: list[NowListed], answers: list[Asked], level: Level, sentence: str) -> None:
    found = standing([US], listed, answers, NOW, timedelta(hours=3))
    assert (found.level, found.sentence) == (level, sentence), name


def test_what_is_no_longer_watched_counts_for_nothing() -> None:
    other = NowListed("198.51.100.1", "big", "", True, NOW)
    assert standing([US], [other], FINE, NOW).level is Level.OK


def test_enough_is_what_the_diagnosis_calls_enough() -> None:
    assert ENOUGH_MAJORS == OF_THE_DIAGNOSIS
