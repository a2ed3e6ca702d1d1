"""Each answer byte for byte, and what cannot be said."""

from collections.abc import Callable

import pytest

from outwarden.filter.milter.answers import (
    ACCEPT,
    CONTINUE,
    PROGRESS,
    Unspeakable,
    add_header,
    change_header,
    quarantine,
    reply,
)

SAID = [
    ("go on", CONTINUE, b"\0\0\0\1c"),
    ("accepted", ACCEPT, b"\0\0\0\1a"),
    ("still at it", PROGRESS, b"\0\0\0\1p"),
    ("refused", reply(550, "5.7.1", "no"), b"\0\0\0\x0ey550 5.7.1 no\0"),
    ("a percent sign", reply(451, "4.7.1", "100 %"), b"\0\0\0\x12y451 4.7.1 100 %%\0"),
    ("no words", reply(550, "5.7.1", ""), b"\0\0\0\x0cy550 5.7.1 \0"),
    ("not ASCII", reply(550, "5.7.1", "ü"), b"\0\0\0\x0dy550 5.7.1 ?\0"),
    ("held", quarantine("why"), b"\0\0\0\5qwhy\0"),
    ("added", add_header("X-A", "b", leading_space=False), b"\0\0\0\7hX-A\0b\0"),
    ("added as agreed", add_header("X-A", "b", leading_space=True), b"\0\0\0\x08hX-A\0 b\0"),
    ("folded", add_header("X-A", "b\n\tc", leading_space=False), b"\0\0\0\x0ahX-A\0b\n\tc\0"),
    ("changed", change_header("X-A", 2, "b", leading_space=True), b"\0\0\0\x0cm\0\0\0\2X-A\0 b\0"),
    ("removed", change_header("X-A", 1, "", leading_space=True), b"\0\0\0\x0am\0\0\0\1X-A\0\0"),
]


@pytest.mark.parametrize(("said", "octets"), [case[1:] for case in SAID], ids=[case[0] for case in SAID])
def test_what_is_said(said: bytes, octets: bytes) -> None:
    assert said == octets


UNSPEAKABLE: list[Callable[[], bytes]] = [
    lambda: reply(550, "5.7.1", "no\r\n250 2.0.0 Ok"),
    lambda: reply(550, "5.7.1", "no\n"),
    lambda: reply(550, "5.7.1", "no\r"),
    lambda: reply(550, "5.7.1", "no\0yes"),
    lambda: reply(550, "5.7.1", "\x1b[31mno"),
    lambda: quarantine("why\r\nnot"),
    lambda: quarantine(""),
    lambda: add_header("X-A", "b\r\nBcc: all@bigmail.example", leading_space=True),
    lambda: add_header("X-A", "b\nBcc: all@bigmail.example", leading_space=True),
    lambda: add_header("X-A", "b\n", leading_space=True),
    lambda: add_header("X-A", "b\0c", leading_space=True),
    lambda: add_header("X-A: b\r\nBcc", "c", leading_space=True),
    lambda: add_header("X A", "b", leading_space=True),
    lambda: add_header("", "b", leading_space=True),
    lambda: add_header("X-Ä", "b", leading_space=True),
    lambda: change_header("X-A", 1, "b\n\nbody", leading_space=True),
    lambda: change_header("X-A\0", 1, "b", leading_space=True),
]


@pytest.mark.parametrize("say", UNSPEAKABLE)
def test_what_would_break_out_is_not_said(say: Callable[[], bytes]) -> None:
    with pytest.raises(Unspeakable):
        say()


def test_many_words_become_many_lines() -> None:
    words = " ".join(f"word{number}" for number in range(200))
    text = reply(550, "5.7.1", words)[5:-1].decode()
    lines = text.split("\r\n")
    assert len(lines) == 4
    assert all(line.startswith("550-5.7.1 ") for line in lines[:-1])
    assert lines[-1].startswith("550 5.7.1 ")
    assert all(len(line) <= 510 for line in lines)
    assert " ".join(line[10:] for line in lines) == words


def test_too_many_words_are_cut() -> None:
    lines = reply(550, "5.7.1", "x" * 100_000)[5:-1].decode().split("\r\n")
    assert len(lines) == 8
    assert all(len(line) <= 510 for line in lines)
