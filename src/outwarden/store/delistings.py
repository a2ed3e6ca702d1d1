"""Delisting as a task: each listing with whether its cause is fixed, and when the list was asked."""

from collections.abc import Iterable
from datetime import datetime

from outwarden.detection.delisting import DelistingTask, refusal_of_request
from outwarden.detection.diagnosis import ListingPeriod
from outwarden.store.database import Database, microseconds, moment, moment_or_none
from outwarden.store.listings import Listing, Listings


class NoSuchListing(Exception):
    """The list has not, and never had, the target; one line says so."""


class RequestRefused(Exception):
    """The list must not be asked now; one line says why and what would change it."""


class Delistings:
    """The tasks in the store: one for each listing."""

    def __init__(self, database: Database, listings: Listings) -> None:
        self._database = database
        self._listings = listings

    def tasks(self) -> list[DelistingTask]:
        """Return the tasks of listings that have not ended, oldest first."""
        return [task for _, task in self._found("ended_at IS NULL ORDER BY began_at, id")]

    def task(self, target: str, listed_by: str) -> DelistingTask:
        """Return the task of the pair's newest listing.  Raises ``NoSuchListing``."""
        return self._newest(target, listed_by)[1]

    def mark_fixed(self, target: str, listed_by: str, cause: str, now: datetime) -> DelistingTask:
        """Write down that the cause is fixed, and what it was.  Raises ``NoSuchListing``."""
        with self._database.writing():
            number, _ = self._newest(target, listed_by)
            self._database.rows(
                "UPDATE listing SET fixed_at = ?, cause = ? WHERE id = ?", microseconds(now), cause, number
            )
        return self.task(target, listed_by)

    def refusal(self, target: str, listed_by: str, now: datetime) -> str | None:
        """Return why the list must not be asked now, None where it may.  Raises ``NoSuchListing``."""
        _, task = self._newest(target, listed_by)
        return refusal_of_request(task, periods(self._listings.history(target)), now)

    def request(self, target: str, listed_by: str, now: datetime) -> DelistingTask:
        """Write down that the list is being asked.  Raises ``NoSuchListing`` and ``RequestRefused``."""
        with self._database.writing():
            number, _ = self._newest(target, listed_by)
            reason = self.refusal(target, listed_by, now)
            if reason is not None:
                raise RequestRefused(reason)
            self._database.rows(
                "INSERT INTO delisting_request (listing, requested_at) VALUES (?, ?)", number, microseconds(now)
            )
        return self.task(target, listed_by)

    def _newest(self, target: str, listed_by: str) -> tuple[int, DelistingTask]:
        found = self._found(
            "target = ? AND list = ? ORDER BY ended_at IS NULL DESC, began_at DESC, id DESC LIMIT 1", target, listed_by
        )
        if not found:
            raise NoSuchListing(f"{listed_by} has not listed {target} as far as the store knows")
        return found[0]

    def _found(self, condition: str, *values: str) -> list[tuple[int, DelistingTask]]:
        rows = self._database.rows(
            "SELECT id, target, list, began_at, ended_at, fixed_at, cause, page FROM listing "  # noqa: S608 (our own words)
            f"WHERE {condition}",
            *values,
        )
        return [
            (
                number,
                DelistingTask(
                    target,
                    name,
                    moment(began),
                    moment_or_none(ended),
                    moment_or_none(fixed),
                    cause,
                    self._requests(number),
                    page,
                ),
            )
            for number, target, name, began, ended, fixed, cause, page in rows
        ]

    def _requests(self, number: int) -> tuple[datetime, ...]:
        rows = self._database.rows(
            "SELECT requested_at FROM delisting_request WHERE listing = ? ORDER BY requested_at", number
        )
        return tuple(moment(at) for (at,) in rows)


def periods(listings: Iterable[Listing]) -> list[ListingPeriod]:
    """Return listings as the diagnosis wants to know them."""
    return [ListingPeriod(each.target, each.list, each.began_at, each.ended_at) for each in listings]
