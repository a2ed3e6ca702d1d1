"""A short run of every fuzz target: enough to catch what a change has just broken."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from long_run import crash, slow
from targets import TARGETS

SEED = 20261123

NAMES = pytest.mark.parametrize("name", TARGETS)


@NAMES
def test_hostile_lines(name: str) -> None:
    assert crash(TARGETS[name], 1500, SEED) is None


@NAMES
def test_long_lines_take_no_more_than_their_length(name: str) -> None:
    assert slow(TARGETS[name], 12, SEED, longest=130_000) is None


@NAMES
@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=3))
def test_any_text(name: str, text: str, cuts: list[int]) -> None:
    feed = TARGETS[name].begin()
    for start, end in pairwise((0, *sorted(cuts), len(text))):
        feed(text[start:end] + "\n")


@NAMES
@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60), place=st.floats(0, 1), which=st.integers(0, 10**6))
def test_any_text_inside_a_known_line(name: str, text: str, place: float, which: int) -> None:
    lines = TARGETS[name].lines
    line = lines[which % len(lines)]
    at = int(place * len(line))
    TARGETS[name].begin()(f"{line[:at]}{text}{line[at:]}\n")
