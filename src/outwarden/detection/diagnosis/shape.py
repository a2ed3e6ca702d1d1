"""The shape of listings over several addresses and over time.

One address on a list of spam sources is a host.  Several of ours on the same one at once are a shared
account or a pool of smarthosts.  A whole /24 on one list is the neighbourhood, whatever the list; but a
policy list and DROP hold ranges by design, so that there it says nothing new.  IPv6 is left out:
lists keep whole /64s, which is one customer.

Listed again within 48 hours of delisting: the cause is not fixed, and asking again is no use.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address

import msgspec
from msgspec.structs import replace

from outwarden.events import ListAnswer, ListAnswerKind, Signal

RELISTED_WITHIN = timedelta(hours=48)
_SENDING = frozenset({Signal.COMPROMISE, Signal.SPAM_SOURCE})
_RANGES_BY_DESIGN = frozenset({Signal.NETBLOCK, Signal.POLICY})
_ENOUGH_OF_A_NETWORK = 128
"""Answers of one list about addresses of one /24, from which on "all of them" means the network."""


class ListingPeriod(msgspec.Struct, frozen=True):
    """One list had one target from ``began`` until ``ended``; None while it still has it."""

    target: str
    list: str
    began: datetime
    ended: datetime | None = None


class Shape(msgspec.Struct, frozen=True):
    """How one target's listings stand among those of the others asked about.

    ``whole_network`` are lists that have all of the /24 around it.  ``shared`` says, for each list of
    spam sources or compromised hosts that has others too, which others.  ``among`` counts the targets.
    """

    whole_network: frozenset[str] = frozenset()
    shared: dict[str, tuple[str, ...]] = {}
    among: int = 1


def shapes(answers: Mapping[str, Sequence[ListAnswer]]) -> dict[str, Shape]:
    """Return the shape of each target that is listed anywhere; ``answers`` are by target."""
    whole = _whole_networks(answers)
    listed = {target: _listed(row) for target, row in answers.items()}
    on_list: dict[str, list[str]] = {}
    for target, row in listed.items():
        for answer in row:
            if not _SENDING.isdisjoint(answer.signals) and (answer.list, _network(target)) not in whole:
                on_list.setdefault(answer.list, []).append(target)
    found = {}
    for target, row in listed.items():
        if row:
            network = _network(target)
            found[target] = Shape(
                whole_network=frozenset(answer.list for answer in row if (answer.list, network) in whole),
                shared={
                    answer.list: tuple(other for other in on_list[answer.list] if other != target)
                    for answer in row
                    if target in on_list.get(answer.list, ()) and len(on_list[answer.list]) > 1
                },
                among=len(answers),
            )
    return found


def as_neighbourhood(answers: Iterable[ListAnswer], shape: Shape) -> list[ListAnswer]:
    """Return the answers, those of lists that have the whole network voting as neighbourhood."""
    return [
        replace(answer, signals=(Signal.NEIGHBOURHOOD,))
        if answer.answer is ListAnswerKind.LISTED and answer.signals and answer.list in shape.whole_network
        else answer
        for answer in answers
    ]


def relisted(history: Iterable[ListingPeriod], target: str) -> dict[str, timedelta]:
    """Return the lists that have the target again within 48 hours of its delisting, and after how long."""
    by_list: dict[str, list[ListingPeriod]] = {}
    for period in history:
        if period.target == target:
            by_list.setdefault(period.list, []).append(period)
    found = {}
    for name, periods in by_list.items():
        periods.sort(key=lambda period: period.began)
        if len(periods) > 1 and periods[-1].ended is None and (before := periods[-2].ended) is not None:
            gap = periods[-1].began - before
            if gap <= RELISTED_WITHIN:
                found[name] = gap
    return found


def with_today(
    history: Sequence[ListingPeriod], answers: Iterable[ListAnswer], now: datetime
) -> tuple[ListingPeriod, ...]:
    """Return the history with what begins by these answers: a list that had let go of the target has it again."""
    ended = {(period.target, period.list) for period in history if period.ended is not None}
    going_on = {(period.target, period.list) for period in history if period.ended is None}
    listed = ((answer.target, answer.list) for answer in answers if answer.answer is ListAnswerKind.LISTED)
    again = [ListingPeriod(*pair, now) for pair in listed if pair in ended - going_on]
    return (*history, *again)


def delisting_blocked(history: Iterable[ListingPeriod], target: str, listed_on: str) -> str | None:
    """Return why delisting of the target must not be asked of this list again; None where it may."""
    gap = relisted(history, target).get(listed_on)
    if gap is None:
        return None
    hours = max(round(gap.total_seconds() / 3600), 1)
    return f"{listed_on} has {target} again within {hours} h of its delisting: the cause is not fixed"


def _whole_networks(answers: Mapping[str, Sequence[ListAnswer]]) -> set[tuple[str, str]]:
    """Return each (list, /24) of which the list has every address that it answered for."""
    counts: dict[tuple[str, str], list[int]] = {}
    for target, row in answers.items():
        if not (network := _network(target)):
            continue
        for answer in row:
            if answer.answer is not ListAnswerKind.COULD_NOT_ASK:
                counted = counts.setdefault((answer.list, network), [0, 0])
                counted[0] += 1
                listed = answer.answer is ListAnswerKind.LISTED
                counted[1] += listed and _RANGES_BY_DESIGN.isdisjoint(answer.signals)
    return {key for key, (asked, listed) in counts.items() if asked == listed >= _ENOUGH_OF_A_NETWORK}


def _network(target: str) -> str:
    """Return the /24 of an IPv4 address; empty for all else."""
    try:
        IPv4Address(target)
    except ValueError:
        return ""
    return target.rpartition(".")[0]


def _listed(row: Iterable[ListAnswer]) -> list[ListAnswer]:
    return [answer for answer in row if answer.answer is ListAnswerKind.LISTED]
