"""Asks blocklists about a message while it waits at the gate, and watches which of them may be believed.

A list is believed when its controls hold (``list_health.py``), which is found out in the background: at the start,
every quarter of an hour, and sooner for one that was silent or has begun to refuse.  Until then, and while it is not
fit, it is not asked about messages at all, so that none waits for it: it counts as one that could not be asked.  The
resolver is proved beside the lists; through one that gives addresses where no name is, no list is believed.

What is asked, and what counts, is in ``door_answers.py``; who waits how long, in ``live_lookup.py``.
"""

import asyncio
import secrets
import time
from collections.abc import Iterable, Sequence

from outwarden.dns.catalogue import Catalogue
from outwarden.dns.door_answers import AboutMessage, Conclusion, DoorList, DoorQuestions
from outwarden.dns.door_choice import door_lists
from outwarden.dns.list_health import Control, Health, controls, judge
from outwarden.dns.live_lookup import LiveLookup
from outwarden.dns.probe import ResolverProbe, Verdicts
from outwarden.dns.questions import Question, Reply
from outwarden.events import Link, WhyNot

__all__ = ["AboutMessage", "DoorLists"]

_FIT_SECONDS = 15 * 60.0
_UNFIT_SECONDS = 10 * 60.0
# A list or a resolver that was silent may be back soon; at the start of a machine its network may not be there yet.
_SILENT_SECONDS = 60.0
_CONTROLS_DEADLINE_SECONDS = 5.0
# So many answers in a row that were none, or that all listed, and the list is proved again before it is asked on.
_REFUSALS = 10
_LISTINGS = 25


class DoorLists:
    """The lists asked at the gate, and whether each is fit."""

    def __init__(
        self, catalogue: Catalogue, lookup: LiveLookup, chosen_ids: Iterable[str] = (), own: Iterable[str] = ()
    ) -> None:
        """``chosen_ids`` take the place of the lists that fit; about ``own`` addresses and networks nobody is asked.

        Raises ``UnusableCatalogue`` for a list that is not known, or never counts here.
        """
        self._lookup = lookup
        self._doors = door_lists(catalogue, chosen_ids)
        self._questions = DoorQuestions(self._doors, own)
        self._check_at = {door: 0.0 for door in self._doors if door.health is None}
        self._wake = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self.resolver_fault: str | None = None
        """What was last found wrong with the resolver, in one line with the cure; None where nothing was."""
        for door in self._doors:
            if door.blocklist.queries_per_second is not None:
                lookup.keep_pace(door.id, door.blocklist.queries_per_second)

    @property
    def health(self) -> dict[str, Health | None]:
        """What is known of each list by its id, what is wrong with it first; None before its controls are in."""
        worst: dict[str, Health | None] = {}
        for door in self._doors:
            if door.id not in worst or not door.fit:
                worst[door.id] = door.health
        return worst

    async def start(self) -> None:
        """Begin to watch the lists, in the background; the look-up has been started before."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._watch_over(), name="health of the lists at the gate")

    async def close(self) -> None:
        """Watch no more; the look-up is closed after that, by whoever has it."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def about(
        self, client_address: str | None, links: Sequence[Link], urls: Sequence[str], attachments: Sequence[str]
    ) -> AboutMessage:
        """Return what the lists say in time; ``urls`` are pages as ``Examined`` has them.

        ``attachments`` are SHA-256 in hexadecimal digits; no list of the catalogue is asked about them so far.
        """
        if self._watch is None:
            await self.start()
        now = time.monotonic()
        clients = [self._questions.about_client(client_address)] if client_address else []
        of_client = [inquiry for inquiry in clients if not inquiry.is_quiet(now)]
        of_links = [one for one in self._questions.about_links(links, urls) if not one[2].is_quiet(now)]
        asked = (*of_client, *(inquiry for _, _, inquiry in of_links))
        wanted = [question for inquiry in asked for door, question in inquiry if door.fit]
        conclusion = Conclusion(links, await self._lookup.ask(wanted) if wanted else {}, now)
        for inquiry in of_client:
            conclusion.take_client(inquiry)
        for place, what, inquiry in of_links:
            conclusion.take_link(place, what, inquiry)
        self._see_to(conclusion.doubtful)
        return conclusion.about()

    # --- which may be believed ---------------------------------------------------------------

    def _see_to(self, doubtful: Iterable[DoorList]) -> None:
        """Prove again, and believe no more until then, who goes on refusing or listing; at most once a minute."""
        for door in doubtful:
            if door.refusals < _REFUSALS and door.listings < _LISTINGS:
                continue
            refuses = door.refusals >= _REFUSALS
            door.refusals = door.listings = 0
            if self._check_at[door] - time.monotonic() > _FIT_SECONDS - _SILENT_SECONDS:
                continue
            if refuses:
                door.health = Health(False, WhyNot.REFUSED, "refuses what it is asked")
            else:
                door.health = Health(False, WhyNot.CANARY_FAILED, "lists all it is asked about; it is proved again")
            self._check_at[door] = 0.0
            self._wake.set()

    async def _watch_over(self) -> None:
        while True:
            now = time.monotonic()
            due = [door for door, at in self._check_at.items() if at <= now]
            if due:
                await self._check(due)
            wait = min(self._check_at.values(), default=now + _FIT_SECONDS) - time.monotonic()
            try:
                await asyncio.wait_for(self._wake.wait(), max(wait, 0.0))
            except TimeoutError:
                continue
            self._wake.clear()

    async def _check(self, doors: Sequence[DoorList]) -> None:
        """Ask the controls of these lists, and prove the resolver beside them."""
        probe = ResolverProbe(self._lookup.resolver, _CONTROLS_DEADLINE_SECONDS)
        proving = probe.questions()
        wanted = {door: _controls(door) for door in doors}
        questions = [*proving, *(question for asked in wanted.values() for _, question in asked)]
        replies = await self._lookup.ask(questions, _CONTROLS_DEADLINE_SECONDS)
        for question in proving:
            probe.take(replies[question])
        for asked in wanted.values():
            for _, question in asked:
                probe.note(replies[question])
        verdicts = {door: _judged(door, asked, replies) for door, asked in wanted.items()}
        if probe.rewrites is not None:
            verdicts = dict.fromkeys(self._check_at, Health(False, WhyNot.REWRITTEN, probe.rewrites))
        now = time.monotonic()
        for door, health in verdicts.items():
            door.health = health
            door.refusals = door.listings = 0
            self._check_at[door] = now + _seconds_until_next(health)
        self.resolver_fault = probe.fault(self._verdicts(doors))

    def _verdicts(self, just_proved: Iterable[DoorList]) -> Verdicts:
        names = {door.id for door in self._doors}
        return Verdicts(
            asked=names,
            fit={door.id for door in just_proved if door.fit},
            refusing={door.id for door in self._doors if door.health and door.health.why_not is WhyNot.REFUSED},
            majors=names,
        )


def _controls(door: DoorList) -> list[tuple[Control, Question]]:
    wanted = controls(door.blocklist, door.proof, secrets.token_bytes(32))
    return [(control, door.question(control.part)) for control in wanted]


def _judged(door: DoorList, asked: Iterable[tuple[Control, Question]], replies: dict[Question, Reply]) -> Health:
    return judge((control, door.book.read(replies[question])) for control, question in asked)


def _seconds_until_next(health: Health) -> float:
    if health.fit:
        return _FIT_SECONDS
    return _SILENT_SECONDS if health.why_not is WhyNot.TIMEOUT else _UNFIT_SECONDS
