"""Needles are found where they stand, in their order, whatever characters they are made of."""

from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.refusals.needles import Needles

strings = st.text(alphabet="ab (zé7", min_size=1, max_size=4)


@given(st.lists(strings, max_size=20), st.text(alphabet="ab (zé7", max_size=20))
def test_found_are_those_that_stand_in_the_text(needles: list[str], text: str) -> None:
    found = Needles((needle, number) for number, needle in enumerate(needles)).found_in(text)
    assert found == [(number, needle, number) for number, needle in enumerate(needles) if needle in text]
