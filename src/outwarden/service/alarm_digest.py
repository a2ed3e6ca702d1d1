"""The day's digest: what still stands, for whoever was not there when it began."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, tzinfo

from outwarden.service.time_zone import local_zone
from outwarden.store.alarms import Call
from outwarden.store.responses import WAITING, Response, ResponseState
from outwarden.store.store import Store

_WRITTEN_WITHIN = timedelta(hours=2)
"""A service that starts later in the day writes none: what is there, it says itself."""
_DAY = timedelta(days=1)
_MOST_LINES = 20


class Digest:
    """Written down once a day at a local time, ``08:00``; empty for none."""

    def __init__(self, store: Store, at: str, zone: tzinfo | None = None) -> None:
        self._store, self._at, self._zone = store, at, zone or local_zone()
        self._written: date | None = None

    def write(self, now: datetime) -> None:
        """Write the digest down if it is time; the second one of a day is none.  Raises ``StoreUnusable``."""
        if not self._at:
            return
        local = now.astimezone(self._zone)
        due = local.replace(hour=int(self._at[:2]), minute=int(self._at[3:]), second=0, microsecond=0)
        if local.date() == self._written or not due <= local < due + _WRITTEN_WITHIN:
            return
        line, body = digest(self._store, now)
        with self._store.writing():
            self._store.alarms.call(f"digest of {local:%Y-%m-%d}", line, body, now, Call.DIGEST)
        self._written = local.date()


def digest(store: Store, now: datetime) -> tuple[str, str]:
    """Return what still stands, in one line and in full."""
    parts = list(_parts(store, now))
    counted = "; ".join(f"{title}: {len(lines)}" for title, lines in parts if lines)
    text = "\n".join(
        part for title, lines in parts if lines for part in (f"{title} ({len(lines)})", *_shown(lines), "")
    )
    return f"today: {counted}" if counted else "today: nothing stands", text or "Nothing stands, and nobody waits.\n"


def _parts(store: Store, now: datetime) -> Iterator[tuple[str, list[str]]]:
    accounts = store.responses.accounts_standing()
    yield "waits for a person", [_response(each) for each in accounts if each.state in WAITING]
    yield (
        "alarms that nobody answered",
        [
            f"{notice.made_at:%Y-%m-%d %H:%M} UTC  {notice.alarms[0].line}"
            for notice in store.alarms.newest(200)
            if notice.alarms[0].turn is Call.PERSON
            and notice.made_at >= now - _DAY
            and store.tellings.answered(notice.id) is None
        ],
    )
    yield "held or blocked", [_response(each) for each in accounts if each.state is ResponseState.DONE]
    yield "paused", [_response(each) for each in store.responses.standing()]
    yield (
        "cases open",
        [
            f"{case.id}  {case.subscriber}  {case.trouble.value}  {case.state.value}"
            for case in store.cases.open_cases()
        ],
    )
    yield (
        "listed",
        [f"{each.target} by {each.list}, since {each.began_at:%Y-%m-%d %H:%M} UTC" for each in store.listings.open()],
    )


def _response(response: Response) -> str:
    until = "" if response.expires_at is None else f", until {response.expires_at:%Y-%m-%d %H:%M} UTC"
    return f"{response.subject or 'the whole server'}: {response.kind.value} {response.state.value}{until}"


def _shown(lines: list[str]) -> Iterable[str]:
    yield from (f"  - {line}" for line in lines[:_MOST_LINES])
    if len(lines) > _MOST_LINES:
        yield f"  and {len(lines) - _MOST_LINES} more"
