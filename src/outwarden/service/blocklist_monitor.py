"""Watches our addresses and domains on the blocklists: asks, remembers, and writes the alarms.

A target's answers are written together, with the alarms for what they change, in one transaction: either both
are known or neither.  Who sends the alarms is somebody else.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from outwarden.detection.diagnosis import diagnose
from outwarden.detection.listing_changes import Turn
from outwarden.dns.catalogue import Catalogue
from outwarden.dns.checking import Asks, check
from outwarden.dns.list_health import HealthBook
from outwarden.dns.lookup import Stopped
from outwarden.dns.targets import Target
from outwarden.events import Diagnosis, ListAnswer, ListAnswerKind
from outwarden.service.own_lists import in_settings_words
from outwarden.store.delistings import periods
from outwarden.store.listings import ListingChange
from outwarden.store.store import Store


class Watched(msgspec.Struct, frozen=True):
    """What one asking brought: how many answers of which kind, and what began and ended."""

    targets: int
    listed: int
    not_listed: int
    could_not_ask: int
    began: int
    ended: int


class BlocklistMonitor:
    """Asks the lists about targets and remembers what they say."""

    def __init__(self, store: Store, catalogue: Catalogue, lookup: Asks) -> None:
        self._store = store
        self._catalogue = catalogue
        self._lookup = lookup
        self._health = HealthBook()
        self._ways = {each.id: words for each in catalogue.asked if (words := each.delisting.conditions) is not None}

    @property
    def resolver_fault(self) -> str | None:
        """What was last found wrong with the resolver, in one line; None where nothing was."""
        fault = self._health.resolver_fault
        return None if fault is None else in_settings_words(fault)

    def ask(self, targets: Sequence[Target], now: datetime) -> Watched | None:
        """Ask about these targets and write down what was said.

        Returns None, and nothing is written, where the look-up is stopped meanwhile.  Raises ``StoreUnusable``.
        """
        try:
            return self._ask(targets, now)
        except Stopped:
            return None

    def _ask(self, targets: Sequence[Target], now: datetime) -> Watched:
        rows: dict[str, dict[str, ListAnswer]] = {target.text: {} for target in targets}
        for answer in check(targets, self._catalogue, self._lookup, now, self._health):
            row = rows[answer.target]
            row[answer.list] = _weightier(row.get(answer.list), answer)
        changes = [change for row in rows.values() for change in self._write(list(row.values()), now)]
        answers = [answer.answer for row in rows.values() for answer in row.values()]
        return Watched(
            targets=len(rows),
            listed=answers.count(ListAnswerKind.LISTED),
            not_listed=answers.count(ListAnswerKind.NOT_LISTED),
            could_not_ask=answers.count(ListAnswerKind.COULD_NOT_ASK),
            began=sum(change.turn is Turn.BEGAN for change in changes),
            ended=sum(change.turn is Turn.ENDED for change in changes),
        )

    def _write(self, answers: Sequence[ListAnswer], now: datetime) -> list[ListingChange]:
        with self._store.writing():
            changes = [change for answer in answers if (change := self._store.listings.take(answer, now)) is not None]
            if changes:
                target = answers[0].target
                history = periods(self._store.listings.history(target))
                diagnosis = diagnose(answers, history=history, conditions=self._ways)
                for change in changes:
                    body = "\n".join(alarm_text(change, diagnosis, _listed_on(answers)))
                    self._store.alarms.write(change.listing.id, change.turn, alarm_line(change), body + "\n", now)
        return changes


def alarm_line(change: ListingChange) -> str:
    """Return the alarm in one line."""
    listing = change.listing
    if change.turn is Turn.ENDED:
        lasted = _in_words((listing.ended_at or listing.last_seen_at) - listing.began_at)
        return f"{listing.target} is no longer listed by {listing.list} (it was for {lasted})"
    why = f" ({listing.meaning})" if listing.meaning else ""
    if listing.returns and change.before is not None:
        after = _in_words(listing.began_at - change.before)
        return f"{listing.target} is listed again by {listing.list}{why}, {after} after it was let go"
    return f"{listing.target} is listed by {listing.list}{why}"


def alarm_text(change: ListingChange, diagnosis: Diagnosis, listed_on: Sequence[str]) -> list[str]:
    """Return the alarm in full, line by line: what, since when, what it means, what next."""
    listing = change.listing
    lines = [alarm_line(change) + ".", "", f"Since: {listing.began_at:%Y-%m-%d %H:%M} UTC"]
    if change.turn is Turn.ENDED and listing.ended_at is not None:
        lines.append(f"Until: {listing.ended_at:%Y-%m-%d %H:%M} UTC")
    if listing.codes:
        lines.append(f"Codes: {', '.join(listing.codes)}")
    if listing.text:
        lines.append(f"The list says: {listing.text}")
    lines.append(f"All lists that have it now: {', '.join(listed_on) or 'none'}")
    lines += ["", f"What it means ({diagnosis.severity}): {diagnosis.verdict}"]
    if change.turn is Turn.BEGAN:
        lines += ["", "What to do:", *(f"  - {step}" for step in diagnosis.next_steps)]
    return lines


def _weightier(before: ListAnswer | None, answer: ListAnswer) -> ListAnswer:
    """Return that of two answers of one list which says more: listed, then not listed, then could not ask."""
    order = list(ListAnswerKind)
    return answer if before is None or order.index(answer.answer) < order.index(before.answer) else before


def _listed_on(answers: Iterable[ListAnswer]) -> list[str]:
    return sorted(answer.list for answer in answers if answer.answer is ListAnswerKind.LISTED)


def _in_words(lasted: timedelta) -> str:
    minutes = int(lasted.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
