import codecs
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.sources.logs.lines import LONGEST_LINE, LineBlocks

LONG = b"x" * LONGEST_LINE

CASES = [
    ("lines", b"one\ntwo\n", "one\ntwo\n", 0),
    ("no newline at the end", b"one\ntwo", "one\ntwo\n", 0),
    ("nothing", b"", "", 0),
    ("CRLF", b"one\r\ntwo\r\n", "one\ntwo\n", 0),
    ("a CR inside a line stays", b"one\rtwo\n", "one\rtwo\n", 0),
    ("a byte-order mark", codecs.BOM_UTF8 + "ä\n".encode(), "ä\n", 0),
    ("a mark inside stays", "one\ufefftwo\n".encode(), "one\ufefftwo\n", 0),
    ("UTF-16, little end first", codecs.BOM_UTF16_LE + "ä,ü\r\n€\n".encode("utf-16-le"), "ä,ü\n€\n", 0),
    ("UTF-16, big end first", codecs.BOM_UTF16_BE + "ä,ü\r\n€".encode("utf-16-be"), "ä,ü\n€\n", 0),
    ("half a character of UTF-16", codecs.BOM_UTF16_LE + b"a\0\n\0\0", "a\n", 0),
    ("half a surrogate pair", codecs.BOM_UTF16_LE + b"\0\xd8\n\0", "\ufffd\n", 0),
    ("NUL bytes before a log", b"\0" * 200_000 + b"one\ntwo\n", "one\ntwo\n", 0),
    ("invalid UTF-8 is escaped", b"a\xffb\xc3\n\xe4\n", "a\\xffb\\xc3\n\\xe4\n", 0),
    ("only a part of a mark", b"\xef\xbb", "\\xef\\xbb\n", 0),
    ("the longest line", LONG + b"\n", "x" * LONGEST_LINE + "\n", 0),
    ("the longest line with CRLF", LONG + b"\r\n", "x" * LONGEST_LINE + "\n", 0),
    ("a line too long", b"a\n" + LONG + b"yz\nb\n", "a\n" + "x" * LONGEST_LINE + "\nb\n", 1),
    ("two of them", LONG + b"y\n" + LONG * 5 + b"\n", ("x" * LONGEST_LINE + "\n") * 2, 2),
    ("one without an end", b"a\n" + LONG * 3, "a\n" + "x" * LONGEST_LINE + "\n", 1),
    ("a CR at the cut", LONG + b"\ry\n", "x" * LONGEST_LINE + "\n", 1),
]


def read(pieces: list[bytes]) -> tuple[str, int]:
    blocks = LineBlocks()
    text = "".join([*(blocks.feed(piece) for piece in pieces), blocks.finish()])
    return text, blocks.lines_cut_off


@pytest.mark.parametrize(("name", "content", "expected", "cut_off"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("size", [1 << 20, 1000, 7, 1], ids=lambda size: f"by {size}")
def test_the_same_lines_come_out_whatever_the_cuts(
    name: str, content: bytes, expected: str, cut_off: int, size: int
) -> None:
    if size < 100 and len(content) > 10_000:
        size = 3001 + size
    assert read([content[at : at + size] for at in range(0, len(content), size)]) == (expected, cut_off)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
@example(b"\xff\xfe\n\0", [1, 2, 3])
@example(b"\xef\xbb\xbf\xef\xbb\xbf\n", [1, 2, 4])
@example(b"\r\n\r\n\0\n\r", [1, 3, 5])
def test_any_bytes_cut_anywhere(content: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    assert read([content[start:end] for start, end in pairwise(places)]) == read([content])


def test_a_block_of_a_following_file_begins_afresh() -> None:
    blocks = LineBlocks()
    assert blocks.feed(codecs.BOM_UTF16_LE + "one\ntw".encode("utf-16-le")) == "one\n"
    assert blocks.finish() == "tw\n"
    assert blocks.feed(codecs.BOM_UTF8 + b"three\n") == "three\n"
    assert blocks.finish() == ""


def test_an_endless_line_is_not_kept_in_memory() -> None:
    blocks = LineBlocks()
    for _ in range(100):
        blocks.feed(LONG)
    assert len(blocks._unfinished) < 2 * LONGEST_LINE
    assert blocks.feed(b"\nnext\n") == "x" * LONGEST_LINE + "\nnext\n"
