"""Nearly the same text has the same name, another text another."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.message.text_clusters import TextClusters, alike
from outwarden.sources.message.text_sketch import SKETCH_SIZE, sketch_of, words_of

TEXT = """Dear Rosa,

we are glad to tell you that your parcel with the number 4711 waits at our office for you since Monday.
Please pay the small fee of 2.99 within the next days at https://parcel.example/pay?t=a8f3 so that we can bring it.

If you do not answer until Friday, it goes back to whoever sent it, and the fee is lost for both of you.

Kind regards
Your parcel office
"""
FIRST, SECOND, THIRD = TEXT.split("\n\n")[1:4]
NEARLY = [
    ("another greeting", TEXT.replace("Dear Rosa,", "Good morning Mr Braun!")),
    ("no greeting", TEXT.partition("\n\n")[2]),
    ("a greeting in the same line", TEXT.replace("Dear Rosa,\n\n", "Hello Jim, ")),
    ("other digits", TEXT.replace("4711", "98-2231").replace("2.99", "1.49")),
    ("another link", TEXT.replace("parcel.example/pay?t=a8f3", "evil.example/x/y/z")),
    ("a word changed", TEXT.replace("glad", "happy")),
    ("three words changed", TEXT.replace("glad", "happy").replace("small", "low").replace("Friday", "Sunday")),
    ("paragraphs in another order", f"Dear Rosa,\n\n{SECOND}\n\n{FIRST}\n\n{THIRD}"),
    ("upper case", TEXT.upper()),
    ("other line breaks", " ".join(TEXT.split()).replace("Rosa, ", "Rosa,\n")),
    ("letters that look alike", TEXT.replace("a", "\u0430").replace("o", "\u043e").replace("i", "\u0456")),
    ("invisible letters", "\u200b".join(TEXT)),
    ("accents", TEXT.replace("e", "\u00e9")),
    ("letters of full width", "".join(chr(ord(one) + 0xFEE0) if one.isalpha() else one for one in TEXT)),
    ("above what it answers", f"{TEXT}\n\nOn Monday, 23 Nov 2026, Jim wrote:\n> where is it\n> and when\n"),
    (
        "a signature",
        f"{TEXT}\n-- \nRosa Braun, somewhere, with many words that stand below all of her letters always\n",
    ),
    ("a word added to each line", TEXT.replace("\n", " really\n")),
]
OTHERS = [
    ("a letter", "the meeting is put off by a week, because the room is not free. Could you tell the others, and bring "
     "the list of those who want to come along? We need it for the bus, and for the lunch at the lake."),
    ("an invoice", "please find attached the invoice for our work in October. We would be glad if you paid within two "
     "weeks to the account that stands on it. Thank you for the good work with us in this year."),
    ("another language", "wir freuen uns, Ihnen mitzuteilen, dass Ihr Paket seit Montag in unserem B\u00fcro auf Sie "
     "wartet. Bitte bezahlen Sie die kleine Geb\u00fchr, damit wir es Ihnen bringen k\u00f6nnen."),
    ("Chinese", "\u60a8\u7684\u5305\u88f9\u6b63\u5728\u6211\u4eec\u7684\u529e\u516c\u5ba4\u7b49\u5f85\u60a8"),
]  # fmt: skip


@pytest.mark.parametrize("text", [case[1] for case in NEARLY], ids=[case[0] for case in NEARLY])
def test_nearly_the_same(text: str) -> None:
    clusters = TextClusters()
    name = clusters.name(sketch_of(TEXT, {"rosa"}))
    assert name is not None
    assert clusters.name(sketch_of(text, {"rosa"})) == name
    assert len(clusters) == 1


def test_others_are_others() -> None:
    clusters = TextClusters()
    texts = [TEXT, *(text for _, text in OTHERS)]
    names = [clusters.name(sketch_of(text)) for text in texts]
    assert len(set(names)) == len(texts)
    assert [clusters.name(sketch_of(text)) for text in texts] == names


def test_the_names_of_recipients_do_not_count() -> None:
    text = "{0} has won, and so {0} may come and take the prize home, if {0} wants it."
    assert sketch_of(text.format("Rosa"), {"rosa"}) == sketch_of(text.format("Jim"), {"jim"})


@pytest.mark.parametrize("text", ["", "Ok, thanks", "1 2 3 4 5 6 7 8 9", "https://a.example/ https://b.example/"])
def test_too_little_has_no_name(text: str) -> None:
    assert sketch_of(text) == ()
    assert TextClusters().name(()) is None


def test_the_name_is_the_same_after_a_restart() -> None:
    assert TextClusters().name(sketch_of(TEXT)) == TextClusters().name(sketch_of(TEXT))


def test_clusters_are_bounded_and_the_longest_unused_is_forgotten() -> None:
    draw = random.Random(7)
    clusters = TextClusters(most=10)
    sketches = [tuple(sorted(draw.sample(range(2**32), SKETCH_SIZE))) for _ in range(200)]
    kept = clusters.name(sketches[0])
    for sketch in sketches[1:]:
        clusters.name(sketch)
        assert clusters.name(sketches[0]) == kept
    assert len(clusters) == 10
    assert len(clusters._by_number) <= 10 * SKETCH_SIZE


def test_what_very_many_texts_had_in_common_is_forgotten_with_them() -> None:
    draw = random.Random(7)
    clusters = TextClusters(most=50)
    common = [(1, *sorted(draw.sample(range(2, 2**32), SKETCH_SIZE - 1))) for _ in range(40)]
    others = [tuple(sorted(draw.sample(range(2, 2**32), SKETCH_SIZE))) for _ in range(100)]
    for sketch in (*common, *others):
        clusters.name(sketch)
    assert len(clusters) == 50
    assert 1 not in clusters._by_number


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_alikeness(one: list[int], other: list[int]) -> None:
    left, right = (tuple(sorted(set(numbers))[:SKETCH_SIZE]) for numbers in (one, other))
    assert alike(left, right) == alike(right, left)
    assert 0 <= alike(left, right) <= 1
    assert alike(left, left) == 1


@given(st.text(max_size=400))
def test_any_text(text: str) -> None:
    words_of(text)
    sketch = sketch_of(text, {"rosa"})
    assert list(sketch) == sorted(set(sketch))
    assert len(sketch) <= SKETCH_SIZE
