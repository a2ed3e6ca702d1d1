"""May the list be asked: each reason against it, and when it passes."""

from datetime import UTC, datetime, timedelta

import pytest

from outwarden.detection.delisting import DelistingTask, refusal_of_request
from outwarden.detection.diagnosis import ListingPeriod

BEGAN = datetime(2026, 11, 25, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIXED = {"fixed_at": BEGAN + HOUR, "cause": "rosa's password"}
NEW = [ListingPeriod("192.0.2.1", "some-list", BEGAN)]
BACK = [ListingPeriod("192.0.2.1", "some-list", BEGAN - 50 * HOUR, BEGAN - 5 * HOUR), *NEW]
LONG_AGO = [ListingPeriod("192.0.2.1", "some-list", BEGAN - 99 * HOUR, BEGAN - 49 * HOUR), *NEW]


@pytest.mark.parametrize(
    ("name", "task", "history", "hours", "expected"),
    [
        ("fixed", FIXED, NEW, 2, None),
        (
            "not fixed",
            {},
            NEW,
            2,
            "too early: the cause of the listing by some-list is not marked as fixed; find it, end it, mark it",
        ),
        (
            "asked an hour ago",
            FIXED | {"requests": (BEGAN + 2 * HOUR,)},
            NEW,
            3,
            "already asked for at 2026-11-25 05:00 UTC; some-list is not asked again before 2026-11-27 05:00 UTC",
        ),
        ("asked two days ago", FIXED | {"requests": (BEGAN + 2 * HOUR,)}, NEW, 50, None),
        (
            "ended",
            FIXED | {"ended_at": BEGAN + HOUR},
            NEW,
            2,
            "some-list no longer has 192.0.2.1; there is nothing to ask for",
        ),
        (
            "back within two days, though marked as fixed",
            FIXED,
            BACK,
            2,
            "some-list has 192.0.2.1 again within 5 h of its delisting: the cause is not fixed; "
            "not before 2026-11-27 03:00 UTC, and the cause must be marked as fixed anew",
        ),
        ("back within two days, and two days passed", FIXED, BACK, 48, None),
        ("back after more than two days", FIXED, LONG_AGO, 2, None),
    ],
)
def test_refusals(name: str, task: dict[str, object], history: list[ListingPeriod], hours: int, expected: str) -> None:
    asked = DelistingTask("192.0.2.1", "some-list", BEGAN, **task)  # type: ignore[arg-type]
    assert refusal_of_request(asked, history, BEGAN + hours * HOUR) == expected, name


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({}, "fix the cause"),
        (FIXED, "ask the list"),
        (FIXED | {"requests": (BEGAN,)}, "wait for the list"),
        ({"ended_at": BEGAN}, "done"),
    ],
)
def test_the_next_step(task: dict[str, object], expected: str) -> None:
    assert DelistingTask("192.0.2.1", "some-list", BEGAN, **task).step == expected  # type: ignore[arg-type]
