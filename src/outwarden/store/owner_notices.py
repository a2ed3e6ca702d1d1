"""Notices to those who answer for accounts: written down before they are handed over, and what became of each."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from outwarden.store.database import Database, microseconds, moment, moment_or_none

_COLUMNS = "id, request, desk_case, kind, account, role, channel, address, begun_at, state, words, queue_id, bounced_at"


class NoticeState(StrEnum):
    """How far a notice has come.

    *waits*: it is being made, or the server was not there; nothing was sent.  *begun*: it is being sent, or was when
    the service died, and nobody knows whether it was taken; so is *not known*.
    """

    BEGUN = "begun"
    TAKEN = "taken"
    REFUSED = "refused"
    WAITS = "waits"
    NOT_KNOWN = "not known"


class OwnerNotice(NamedTuple):
    """One notice; ``queue_id`` is how the mail server called it, empty where it did not say."""

    id: int
    request: str
    case: str
    kind: str
    account: str
    role: str
    channel: str
    address: str
    begun_at: datetime
    state: NoticeState
    words: str
    queue_id: str
    bounced_at: datetime | None


class OwnerNotices:
    """The notices in the store.  What writes is called inside ``writing()``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self,
        *,
        request: str,
        case: str,
        kind: str,
        account: str,
        role: str,
        channel: str,
        address: str,
        now: datetime,
    ) -> OwnerNotice:
        """Write down that a notice is made, and waits to be sent."""
        ((number,),) = self._database.rows(
            "INSERT INTO owner_notice (request, desk_case, kind, account, role, channel, address, begun_at, state, "
            "words, queue_id, link_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waits', '', '', '') RETURNING id",
            request, case, kind, account, role, channel, address, microseconds(now),
        )  # fmt: skip
        return self._one(number)

    def sends(self, notice: OwnerNotice) -> None:
        """Write down that it is being sent from now on."""
        self._database.change("UPDATE owner_notice SET state = 'begun' WHERE id = ?", notice.id)

    def seen_in_the_log(self, number: int, queue_id: str) -> bool:
        """Write down that the mail server took it, where that was not known; False where it was."""
        words = "the mail server's log has it"
        return bool(
            self._database.change(
                "UPDATE owner_notice SET state = 'taken', queue_id = ?, words = ? WHERE id = ? "
                "AND state IN ('begun', 'not known')",
                queue_id,
                words,
                number,
            )
        )

    def became(self, notice: OwnerNotice, state: NoticeState, words: str, queue_id: str = "") -> None:
        """Write down what became of it."""
        self._database.change(
            "UPDATE owner_notice SET state = ?, words = ?, queue_id = ? WHERE id = ?",
            state.value, words, queue_id, notice.id,
        )  # fmt: skip

    def has_link(self, notice: OwnerNotice, digest: str) -> None:
        """Write down the digest of the token in its link; the token itself is kept nowhere."""
        self._database.change("UPDATE owner_notice SET link_digest = ? WHERE id = ?", digest, notice.id)

    def bounced(self, notice: OwnerNotice, words: str, now: datetime) -> bool:
        """Write down that it came back; False where that was known."""
        changed = self._database.change(
            "UPDATE owner_notice SET bounced_at = ?, words = ? WHERE id = ? AND bounced_at IS NULL",
            microseconds(now), words, notice.id,
        )  # fmt: skip
        return changed == 1

    def of_request(self, request: str) -> list[OwnerNotice]:
        """Return the notices of one request, oldest first."""
        return self._found("request = ? ORDER BY id", request)

    def of_case(self, case: str) -> list[OwnerNotice]:
        """Return the notices of one case, oldest first."""
        return self._found("desk_case = ? ORDER BY id", case)

    def since(self, begin: datetime) -> list[OwnerNotice]:
        """Return what was begun since then, oldest first."""
        return self._found("begun_at >= ? ORDER BY id", microseconds(begin))

    def one(self, number: int) -> OwnerNotice | None:
        """Return the notice of a number."""
        return next(iter(self._found("id = ?", number)), None)

    def of_queue_id(self, queue_id: str, now: datetime) -> OwnerNotice | None:
        """Return the newest notice of the last week that the mail server called so; it may call others so later."""
        after = microseconds(now - timedelta(days=7))
        return next(iter(self._found("queue_id = ? AND begun_at >= ? ORDER BY id DESC LIMIT 1", queue_id, after)), None)

    def bounced_addresses(self) -> set[str]:
        """Return the addresses from which a notice came back and to which none was taken since."""
        rows = self._database.rows(
            "SELECT DISTINCT address FROM owner_notice AS back WHERE bounced_at IS NOT NULL AND NOT EXISTS (SELECT 1 "
            "FROM owner_notice AS later WHERE later.address = back.address AND later.id > back.id "
            "AND later.state = 'taken' AND later.bounced_at IS NULL)"
        )
        return {address for (address,) in rows}

    def _one(self, number: int) -> OwnerNotice:
        (found,) = self._found("id = ?", number)
        return found

    def _found(self, condition: str, *values: int | str) -> list[OwnerNotice]:
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM owner_notice WHERE {condition}", *values)  # noqa: S608
        return [
            OwnerNotice(
                number, request, case, kind, account, role, channel, address, moment(begun), NoticeState(state), words,
                queue_id, moment_or_none(bounced),
            )
            for (
                number, request, case, kind, account, role, channel, address, begun, state, words, queue_id, bounced
            ) in rows
        ]  # fmt: skip
