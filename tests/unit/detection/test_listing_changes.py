"""When a listing begins and ends, from one answer after the other."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.detection.listing_changes import LONGEST_QUIET, ListingState, Turn, follow, quiet_needed
from outwarden.events import ListAnswerKind

BEGIN = datetime(2026, 11, 25, tzinfo=UTC)
LETTERS = {"L": ListAnswerKind.LISTED, "-": ListAnswerKind.NOT_LISTED, "?": ListAnswerKind.COULD_NOT_ASK}


def turns(answers: str) -> str:
    """One answer an hour; B where a listing begins, E where one ends, a dot where nothing changes."""
    state: ListingState | None = None
    found = ""
    for hour, letter in enumerate(answers):
        state, turn = follow(state, LETTERS[letter], BEGIN + timedelta(hours=hour))
        found += {None: ".", Turn.BEGAN: "B", Turn.ENDED: "E"}[turn]
    return found


@pytest.mark.parametrize(
    ("name", "answers", "expected"),
    [
        ("never listed", "---", "..."),
        ("one listing, one alarm each", "-LLL--", ".B..E."),
        ("could not ask begins nothing", "???", "..."),
        ("could not ask ends nothing", "L??L??-", "B.....E"),
        ("listed from the first", "L-", "BE"),
        ("back at once: an alarm, then a quiet time of three hours", "L-L---L---", "BEB......."),
        ("back, and gone for three hours", "L-L----", "BEB...E"),
        ("flapping each hour rings three times", "L-L-L-L-L-L-L-L-L-", "BEB..............."),
        ("the quiet time is not interrupted by could-not-ask", "L-L-??-", "BEB...E"),
        ("back after two days is a new listing", "L-" + "-" * 48 + "L-", "BE" + "." * 48 + "BE"),
    ],
)
def test_turns(name: str, answers: str, expected: str) -> None:
    assert turns(answers) == expected, name


def test_a_listing_ends_when_it_was_first_gone() -> None:
    state = ListingState(BEGIN, BEGIN, returns=1)
    for hour in (1, 2, 3, 4):
        state, turn = follow(state, ListAnswerKind.NOT_LISTED, BEGIN + timedelta(hours=hour))  # type: ignore[assignment]
    assert turn is Turn.ENDED
    assert state.ended_at == BEGIN + timedelta(hours=1)


def test_the_quiet_time_doubles_up_to_two_days() -> None:
    assert [quiet_needed(returns) / timedelta(hours=1) for returns in range(7)] == [0, 3, 6, 12, 24, 48, 48]
    assert quiet_needed(10_000) == LONGEST_QUIET


@given(st.text(alphabet="L-?", max_size=200))
def test_begin_and_end_take_turns(answers: str) -> None:
    rung = turns(answers).replace(".", "")
    assert rung == ("BE" * len(rung))[: len(rung)]


@given(st.text(alphabet="L-?", max_size=200))
def test_could_not_ask_never_rings(answers: str) -> None:
    assert all(turn == "." for answer, turn in zip(answers, turns(answers), strict=True) if answer == "?")
