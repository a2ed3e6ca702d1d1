"""The history of each (target, list): when a listing began, was last seen and ended, and what was last answered."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from outwarden.detection.listing_changes import ListingState, Turn, follow
from outwarden.detection.listing_state import Asked
from outwarden.events import ListAnswer, ListAnswerKind
from outwarden.store.database import Database, microseconds, moment, moment_or_none

_KEPT = "id, target, list, began_at, last_seen_at, quiet_since, ended_at, returns, codes, meaning, said, page"


class Listing(msgspec.Struct, frozen=True):
    """One listing, from its begin to its end; ``ended_at`` is None while the list still has the target.

    ``codes``, ``meaning`` and ``text`` are what the list said last; ``page`` is where it can be asked
    to take the target off.  ``returns`` counts how often it was back within 48 hours.  Times are UTC.
    """

    id: int
    target: str
    list: str
    began_at: datetime
    last_seen_at: datetime
    quiet_since: datetime | None
    ended_at: datetime | None
    returns: int
    codes: tuple[str, ...]
    meaning: str
    text: str | None
    page: str | None


class LastAnswer(msgspec.Struct, frozen=True):
    """The newest answer of one list about one target."""

    target: str
    list: str
    answer: ListAnswerKind
    why_not: str | None
    meaning: str
    major: bool
    asked_at: datetime


class ListingChange(msgspec.Struct, frozen=True):
    """A listing that began or ended by an answer; ``before`` is when the same list last let go of the target."""

    turn: Turn
    listing: Listing
    before: datetime | None = None


class Listings:
    """Everything that lists said, as the store has it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, answer: ListAnswer, now: datetime) -> ListingChange | None:
        """Write an answer down; returns what it changed.  Only inside ``writing()``."""
        self._remember(answer, now)
        newest = self._newest(answer.target, answer.list)
        state = None if newest is None else _state(newest)
        after, turn = follow(state, answer.answer, now)
        if after is None or (after == state and answer.answer is not ListAnswerKind.LISTED):
            return None
        if turn is Turn.BEGAN:
            listing = self._begin(answer, after)
            return ListingChange(turn, listing, newest.ended_at if newest else None)
        assert newest is not None  # noqa: S101 (only an open listing can go on or end)
        listing = self._go_on(newest, after, answer)
        return None if turn is None else ListingChange(turn, listing)

    def history(self, target: str | None = None) -> list[Listing]:
        """Return the listings of a target, or of all, oldest first."""
        where = "" if target is None else "WHERE target = ? "
        found = self._database.rows(
            f"SELECT {_KEPT} FROM listing {where}ORDER BY began_at, id",  # noqa: S608 (our own words)
            *(() if target is None else (target,)),
        )
        return [_listing(row) for row in found]

    def open(self) -> list[Listing]:
        """Return the listings that have not ended, oldest first."""
        found = self._database.rows(
            f"SELECT {_KEPT} FROM listing WHERE ended_at IS NULL ORDER BY began_at, id"  # noqa: S608
        )
        return [_listing(row) for row in found]

    def one(self, number: int) -> Listing | None:
        """Return the listing of a number."""
        found = self._database.rows(f"SELECT {_KEPT} FROM listing WHERE id = ?", number)  # noqa: S608
        return next(map(_listing, found), None)

    def last_answers(self) -> list[LastAnswer]:
        """Return the newest answer for each target and list."""
        return [
            LastAnswer(target, name, ListAnswerKind(answer), why_not, meaning, bool(major), moment(asked_at))
            for target, name, answer, why_not, meaning, major, asked_at in self._database.rows(
                "SELECT target, list, answer, why_not, meaning, major, asked_at FROM answer ORDER BY target, list"
            )
        ]

    def asked(self) -> list[Asked]:
        """Return what became of asking, by target; summed by SQLite, as a monitor wants it each minute."""
        found = self._database.rows(
            "SELECT target, max(asked_at), count(*), sum(answer = ?1), sum(major), sum(major AND answer <> ?1) "
            "FROM answer GROUP BY target",
            ListAnswerKind.COULD_NOT_ASK.value,
        )
        return [
            Asked(target, moment(asked_at), count - failed, failed, majors, majors_answered)
            for target, asked_at, count, failed, majors, majors_answered in found
        ]

    def open_on_major_lists(self) -> set[int]:
        """Return the ids of the listings by major lists that have not ended."""
        found = self._database.rows(
            "SELECT id FROM listing JOIN answer USING (target, list) WHERE ended_at IS NULL AND major"
        )
        return {number for (number,) in found}

    def last_asked(self) -> dict[str, datetime]:
        """Return when each target was last asked about."""
        found = self._database.rows("SELECT target, max(asked_at) FROM answer GROUP BY target")
        return {target: moment(asked_at) for target, asked_at in found}

    def keep_only(self, targets: Iterable[str], lists: Iterable[str], now: datetime) -> int:
        """Let go of what is no longer watched: its listings end, without an alarm; returns how many did."""
        targets, lists = set(targets), set(lists)
        with self._database.writing():
            for each in self.last_answers():
                if each.target not in targets or each.list not in lists:
                    self._database.rows("DELETE FROM answer WHERE target = ? AND list = ?", each.target, each.list)
            gone = [each for each in self.open() if each.target not in targets or each.list not in lists]
            for listing in gone:
                self._database.rows("UPDATE listing SET ended_at = ? WHERE id = ?", microseconds(now), listing.id)
        return len(gone)

    def _remember(self, answer: ListAnswer, now: datetime) -> None:
        self._database.rows(
            "INSERT INTO answer (target, list, answer, why_not, meaning, major, asked_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (target, list) DO UPDATE SET answer = excluded.answer, why_not = excluded.why_not, "
            "meaning = excluded.meaning, major = excluded.major, asked_at = excluded.asked_at",
            answer.target, answer.list, answer.answer.value, answer.why_not and answer.why_not.value,
            answer.meaning, answer.major, microseconds(now),
        )  # fmt: skip

    def _newest(self, target: str, listed_by: str) -> Listing | None:
        found = self._database.rows(
            f"SELECT {_KEPT} FROM listing WHERE target = ? AND list = ? "  # noqa: S608
            "ORDER BY ended_at IS NULL DESC, began_at DESC, id DESC LIMIT 1",
            target, listed_by,
        )  # fmt: skip
        return _listing(found[0]) if found else None

    def _begin(self, answer: ListAnswer, state: ListingState) -> Listing:
        ((number,),) = self._database.rows(
            "INSERT INTO listing (target, list, began_at, last_seen_at, returns, codes, meaning, said, page) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            answer.target, answer.list, microseconds(state.began_at), microseconds(state.last_seen_at), state.returns,
            " ".join(answer.codes), answer.meaning, answer.text, answer.delisting,
        )  # fmt: skip
        return Listing(
            number, answer.target, answer.list, state.began_at, state.last_seen_at, None, None, state.returns,
            answer.codes, answer.meaning, answer.text, answer.delisting,
        )  # fmt: skip

    def _go_on(self, listing: Listing, state: ListingState, answer: ListAnswer) -> Listing:
        after = replace(
            listing,
            last_seen_at=state.last_seen_at,
            quiet_since=state.quiet_since,
            ended_at=state.ended_at,
            returns=state.returns,
        )
        if answer.answer is ListAnswerKind.LISTED:
            after = replace(after, codes=answer.codes, meaning=answer.meaning, text=answer.text, page=answer.delisting)
        self._database.rows(
            "UPDATE listing SET last_seen_at = ?, quiet_since = ?, ended_at = ?, returns = ?, codes = ?, "
            "meaning = ?, said = ?, page = ? WHERE id = ?",
            microseconds(after.last_seen_at), _kept(after.quiet_since), _kept(after.ended_at), after.returns,
            " ".join(after.codes), after.meaning, after.text, after.page, after.id,
        )  # fmt: skip
        return after


def _state(listing: Listing) -> ListingState:
    return ListingState(listing.began_at, listing.last_seen_at, listing.quiet_since, listing.ended_at, listing.returns)


def _listing(row: tuple) -> Listing:  # type: ignore[type-arg]
    number, target, name, began, seen, quiet, ended, returns, codes, meaning, said, page = row
    return Listing(
        number, target, name, moment(began), moment(seen), moment_or_none(quiet), moment_or_none(ended), returns,
        tuple(codes.split()), meaning, said, page,
    )  # fmt: skip


def _kept(when: datetime | None) -> int | None:
    return None if when is None else microseconds(when)
