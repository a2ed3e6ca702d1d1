"""What holds for every text: no exception, bounded time, and the cache that changes nothing."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.sources.refusals import classify, classify_cached
from outwarden.sources.refusals.rulebook import rulebook

WORDINGS = [rule.sample for rule in rulebook().rules]
HOSTILE = [
    "a@" * 500_000,
    "192.0.2.1 " * 100_000,
    "550-" * 250_000,
    "=\n" * 500_000,
    "{LED=550 " + "x" * 1_000_000,
    "http://" + "a." * 500_000,
    "a" * 1_000_000,
    "\u0301" * 1_000_000,
    "from dmarc not list " * 50_000,
    "::1 " * 250_000,
]

pieces = st.sampled_from(
    [word for text in WORDINGS for word in text.split()]
    + ["192.0.2.7", "198.51.100.9", "127.0.0.2", "2001:db8::7", "rosa@shop.example", "<a@gmail.com>:", "\\n", "=\n"]
)
made_up = st.lists(pieces, max_size=30).map(" ".join)


@given(st.text(max_size=400) | st.binary(max_size=400).map(lambda raw: raw.decode("utf-8", "replace")))
def test_any_text_has_an_answer(text: str) -> None:
    assert classify(text).text == text


@settings(max_examples=400)
@given(made_up, st.sampled_from([None, "shop.example"]))
def test_the_cache_changes_nothing(text: str, domain: str | None) -> None:
    assert classify_cached(text, domain) == classify(text, domain)


@given(
    st.sampled_from(WORDINGS),
    st.ip_addresses(v=4).map(str),
    st.from_regex(r"[a-z0-9]{1,12}@[a-z]{1,8}\.(example|com)", fullmatch=True),
)
def test_a_wording_remembered_is_judged_alike_for_another_mailbox_and_address(
    wording: str, address: str, mailbox: str
) -> None:
    other = wording.replace("192.0.2.1", address).replace("a@b.example", mailbox)
    classify_cached(wording)
    assert classify_cached(other) == classify(other)


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:12] for text in HOSTILE])
def test_a_text_of_any_length_takes_bounded_time(text: str) -> None:
    classify(text[:100])
    begun = time.process_time()
    classify(text)
    assert time.process_time() - begun < 0.5
