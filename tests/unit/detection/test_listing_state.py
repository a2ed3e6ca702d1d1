"""What a monitor is told: listed or not, and whether that is known."""

from datetime import UTC, datetime, timedelta

import pytest

from outwarden.detection.diagnosis.conditions import ENOUGH_MAJORS as OF_THE_DIAGNOSIS
from outwarden.detection.listing_state import ENOUGH_MAJORS, Asked, Level, NowListed, asked_now, standing
from outwarden.events import ListAnswer, ListAnswerKind

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
US = "192.0.2.1"


def asked(majors: int = 1, majors_answered: int = 1, minutes: int = 5, failed: int = 0) -> list[Asked]:
    return [Asked(US, NOW - timedelta(minutes=minutes), 2 - failed, failed, majors, majors_answered)]


LISTED = NowListed(US, "big", "XBL", True, NOW - timedelta(hours=1))
SMALL = NowListed(US, "small", "", False, None)
FINE = asked()


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
            asked(minutes=400),
            Level.UNKNOWN,
            "192.0.2.1 was not asked about since 2026-11-25 05:20 UTC: is the service up?",
        ),
        (
            "listed, and stale",
            [LISTED],
            asked(minutes=400),
            Level.CRITICAL,
            "192.0.2.1 on big (XBL) since 2026-11-25 11:00 UTC; 1 not asked about lately",
        ),
        (
            "too few majors answered",
            [],
            asked(majors=2, failed=1),
            Level.UNKNOWN,
            "1 of 2 major lists answered about 192.0.2.1; see outwarden blocklists 192.0.2.1",
        ),
        (
            "a minor list did not answer",
            [],
            asked(failed=1),
            Level.OK,
            "none of 1 watched is on any of 1 lists",
        ),
        (
            "no major list at all",
            [],
            asked(majors=0, majors_answered=0),
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


def test_answers_are_counted_by_target() -> None:
    answers = [
        ListAnswer(US, name, name, kind, major=major)
        for name, kind, major in (
            ("big", ListAnswerKind.LISTED, True),
            ("other", ListAnswerKind.COULD_NOT_ASK, True),
            ("small", ListAnswerKind.NOT_LISTED, False),
        )
    ]
    assert asked_now(answers, NOW) == [Asked(US, NOW, answered=2, could_not_ask=1, majors=2, majors_answered=1)]
