"""From targets to what the blocklists say of them: where asking and diagnosing are joined.

Answers are handed on as they come.  What is kept of them is small, so that a /16 can be asked about:
an answer that tells of no listing is the same record for every target.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from outwarden.detection.diagnosis import (
    ListingPeriod,
    LogSigns,
    Shape,
    TargetListings,
    diagnose,
    shapes,
    with_today,
)
from outwarden.dns.blocklist import UnusableCatalogue
from outwarden.dns.catalogue import Catalogue
from outwarden.dns.checking import check
from outwarden.dns.list_health import HealthBook
from outwarden.dns.list_names import target_part
from outwarden.dns.lookup import Lookup
from outwarden.dns.resolver import Resolver, UnusableResolver, parse
from outwarden.dns.targets import Targets, UnusableTarget
from outwarden.events import Diagnosis, ListAnswer, ListAnswerKind
from outwarden.service.own_lists import other_catalogue, own_catalogue, own_resolver
from outwarden.service.settings import Configuration

_FEW_TARGETS = 64
_SWEEP_SECONDS = 1.0
_ALONE = Shape()

Watcher = Callable[[int, int], None]
"""Told how many answers are in, and of how many."""


class WrongQuestion(Exception):
    """A target, list or resolver that the operator named cannot be used; one line says why."""


class CannotAsk(Exception):
    """There is nothing to ask with: a catalogue or resolver cannot be used; one line says why."""


class Survey:
    """One asking of all lists about some targets."""

    def __init__(
        self,
        targets: Sequence[str],
        now: datetime,
        configuration: Configuration,
        *,
        resolver: str | None = None,
        catalogue: Path | None = None,
        lists: Iterable[str] | None = None,
    ) -> None:
        """``resolver`` is HOST[:PORT], ``lists`` are ids; where they are None, the configuration's, or the usual.

        Of ``catalogue`` all lists are asked, with the configuration's keys and nothing else of its ``[blocklists]``.
        Raises ``WrongQuestion``, ``CannotAsk`` and ``ConfigurationError``.
        """
        self.targets = _targets(targets)
        self.catalogue = _catalogue(configuration, catalogue, lists)
        self.resolver = _resolver(configuration, resolver)
        deadline = configuration.settings.dns.deadline_seconds
        self._deadline = deadline if len(self.targets) < _FEW_TARGETS else min(deadline, _SWEEP_SECONDS)
        self._now = now
        self._health = HealthBook()
        self._rows: dict[str, list[ListAnswer]] = {target.text: [] for target in self.targets}
        self._unlisted: dict[tuple[object, ...], ListAnswer] = {}

    def __len__(self) -> int:
        """How many different targets there are."""
        return len(self._rows)

    def answers(self, watch: Watcher | None = None) -> Iterator[ListAnswer]:
        """Ask, and yield each answer as soon as it is in."""
        lookup = Lookup(self.resolver, self._deadline, paces=self.catalogue.paces)
        expected = self._expected() if watch is not None else 0
        asked = check(self.targets, self.catalogue, lookup, self._now, self._health)
        for count, answer in enumerate(asked, start=1):
            self._rows[answer.target].append(self._kept(answer))
            if watch is not None:
                watch(count, expected)
            yield answer

    @property
    def resolver_fault(self) -> str | None:
        """What is wrong with the resolver, in one line; None where nothing is.  After ``answers``."""
        return self._health.resolver_fault

    def results(self, signs: LogSigns | None = None, history: Iterable[ListingPeriod] = ()) -> Iterator[TargetListings]:
        """Yield each target with its diagnosis, in the order in which they were named; after ``answers``.

        ``history`` is what was listed when, of any targets.  Among the answers of a target those that tell of no
        listing are shared by all targets, and name none.
        """
        found = shapes(self._rows)
        ways = {each.id: words for each in self.catalogue.asked if (words := each.delisting.conditions) is not None}
        before = self._by_target(history)
        alike: dict[tuple[int, ...], Diagnosis] = {}
        for target, row in self._rows.items():
            answers = tuple({answer.list: answer for answer in row}.values())
            # Most addresses of a network have the same answers, and then the same diagnosis.
            same = tuple(map(id, answers))
            diagnosis = alike.get(same) if signs is None and target not in before else None
            if diagnosis is None:
                named = [replace(answer, target=target) for answer in answers]
                past = with_today(before.get(target, ()), named, self._now)
                diagnosis = diagnose(named, signs, shape=found.get(target, _ALONE), history=past, conditions=ways)
                if target not in before:
                    alike[same] = diagnosis
            yield TargetListings(target, answers, diagnosis)

    def _by_target(self, history: Iterable[ListingPeriod]) -> dict[str, list[ListingPeriod]]:
        spelt = {target.lower().rstrip("."): target for target in self._rows}
        found: dict[str, list[ListingPeriod]] = {}
        for period in history:
            target = spelt.get(period.target.lower().rstrip("."))
            if target is not None:
                found.setdefault(target, []).append(replace(period, target=target))
        return found

    def _kept(self, answer: ListAnswer) -> ListAnswer:
        if answer.answer is ListAnswerKind.LISTED:
            return answer
        key = (answer.list, answer.answer, answer.why_not, answer.meaning, answer.codes)
        return self._unlisted.setdefault(key, replace(answer, target="", ttl_seconds=None))

    def _expected(self) -> int:
        """Return about how many answers there will be: the addresses of a network are all asked the same."""
        if len(self) >= _FEW_TARGETS:
            first = next(iter(self.targets))
            return len(self) * sum(target_part(each, first) is not None for each in self.catalogue.asked)
        return sum(target_part(each, target) is not None for target in self.targets for each in self.catalogue.asked)


def _targets(texts: Sequence[str]) -> Targets:
    try:
        return Targets(texts)
    except UnusableTarget as fault:
        raise WrongQuestion(str(fault)) from fault


def _catalogue(configuration: Configuration, path: Path | None, lists: Iterable[str] | None) -> Catalogue:
    try:
        catalogue = own_catalogue(configuration) if path is None else other_catalogue(configuration, path)
    except UnusableCatalogue as fault:
        raise CannotAsk(str(fault)) from fault
    if lists is None:
        return catalogue
    lists = tuple(lists)
    silenced = next(
        (name for name in lists if path is None and name in configuration.settings.blocklists.silenced), None
    )
    if silenced is not None:
        place = configuration.place("blocklists.silenced")
        raise WrongQuestion(f"{place}: {silenced} is silenced; take it out of blocklists.silenced to ask it")
    try:
        return catalogue.chosen(lists)
    except UnusableCatalogue as fault:
        raise WrongQuestion(str(fault)) from fault


def _resolver(configuration: Configuration, named: str | None) -> Resolver:
    try:
        return own_resolver(configuration) if named is None else parse(named)
    except UnusableResolver as fault:
        raise (CannotAsk if named is None else WrongQuestion)(str(fault)) from fault
