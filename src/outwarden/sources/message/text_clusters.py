"""One name for all texts that are nearly the same.

A hash alone cannot do this: wherever its steps lie, some texts that differ in one word fall on both sides of one.  So
the sketch of each text is held against those of the texts met before, and a text is called after the first that it is
nearly the same as.  Nothing drifts, as a cluster keeps the sketch of its first text.

Deterministic: the same sketches in the same order get the same names.  A text that is like none before it is named
after itself alone, so that after a restart, or on another host, copies that are the same get the same name again.
Bounded: the cluster that was not met for longest is forgotten.
"""

import struct
from array import array
from collections import Counter
from itertools import chain
from math import ceil

import xxhash

from outwarden.sources.message.text_sketch import SKETCH_SIZE

MOST_CLUSTERS = 8_192
_MOST_PER_NUMBER = 16
_MOST_COMPARED = 3
LEAST_ALIKE = 0.4
"""The share of words and pairs, 0 to 1, that two texts must share to be nearly the same."""


class TextClusters:
    """The texts met lately, by their sketches."""

    def __init__(self, most: int = MOST_CLUSTERS) -> None:
        self._most = most
        # The place of each cluster, in the order in which they were last met; and what stands there.
        self._places: dict[str, int] = {}
        self._clusters: list[tuple[str, tuple[int, ...]]] = []
        # Places and not names, packed: hundreds are looked through for each text, and no two names lie side by side.
        self._by_number: dict[int, array[int]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def name(self, sketch: tuple[int, ...]) -> str | None:
        """Return the name of the cluster that the text belongs to, a new one if need be; None for no sketch."""
        if not sketch:
            return None
        own = xxhash.xxh3_64_hexdigest(struct.pack(f"<{len(sketch)}I", *sketch))
        if own not in self._places:
            near = self._nearest(sketch)
            if near is None:
                self._remember(own, sketch)
                return own
            own = near
        self._places[own] = self._places.pop(own)
        return own

    def _remember(self, name: str, sketch: tuple[int, ...]) -> None:
        place = len(self._clusters)
        if place < self._most:
            self._clusters.append((name, sketch))
        else:
            place = self._forget(next(iter(self._places)))
            self._clusters[place] = name, sketch
        self._places[name] = place
        by_number = self._by_number
        for number in sketch:
            places = by_number.get(number)
            if places is None:
                by_number[number] = array("I", (place,))
            elif len(places) < _MOST_PER_NUMBER:
                places.append(place)

    def _nearest(self, sketch: tuple[int, ...]) -> str | None:
        # What is nearly the same has at least so many numbers of this sketch, ...
        fewest = ceil(LEAST_ALIKE * len(sketch))
        # ... so at least one of any so many.  The rarest have the fewest others behind them.
        behind = sorted([self._by_number.get(number, ()) for number in sketch], key=len)[: len(sketch) - fewest + 1]
        shared: dict[int, int] = Counter(chain.from_iterable(behind))
        numbers = set(sketch)
        best, most_alike = None, LEAST_ALIKE
        for place in _met_most(shared):
            name, other = self._clusters[place]
            if len(numbers.intersection(other)) < fewest:
                continue
            share = alike(sketch, other)
            if share >= most_alike:
                best, most_alike = name, share
        return best

    def _forget(self, name: str) -> int:
        """Forget a cluster, and return the place that is free now."""
        place = self._places.pop(name)
        for number in self._clusters[place][1]:
            # There was no room for this one where so many others had the number, and they may all be forgotten by now.
            places = self._by_number.get(number)
            if places is not None and place in places:
                places.remove(place)
                if not places:
                    del self._by_number[number]
        return place


def _met_most(shared: dict[int, int]) -> list[int]:
    """Return the few places that were met most often; of those met as often, those that were met first."""
    if len(shared) > _MOST_COMPARED:
        # Sorting all the places would cost more than anything else here.
        fewest = sorted(shared.values())[-_MOST_COMPARED]
        shared = {place: count for place, count in shared.items() if count >= fewest}
    return sorted(shared, key=shared.__getitem__, reverse=True)[:_MOST_COMPARED]


def alike(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Estimate the share, 0 to 1, of words and pairs that two texts have in common.

    Of all numbers of both, the smallest count: those that are in both sketches, divided by those that could be.
    """
    both = set(one) & set(other)
    smallest = sorted({*one, *other})[:SKETCH_SIZE]
    return sum(number in both for number in smallest) / len(smallest)
