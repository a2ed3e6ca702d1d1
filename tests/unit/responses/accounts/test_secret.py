"""A secret is shown by nothing, and new ones are long, readable and different."""

import copy
import json
import logging
import math
import pickle
import traceback

import msgspec
import pytest

from outwarden.responses.accounts.secret import Secret, new_secret

SHOWN = [
    ("repr", repr),
    ("str", str),
    ("format", lambda secret: f"{secret!s:>20}{secret}"),
    ("in a list", lambda secret: str([secret])),
    ("percent", lambda secret: f"{secret}"),
    ("log", lambda secret: logging.LogRecord("n", 10, "p", 1, "%s", (secret,), None).getMessage()),
]
FAILS = [
    ("pickle", pickle.dumps),
    ("copy", copy.copy),
    ("deepcopy", copy.deepcopy),
    ("json", json.dumps),
    ("msgspec", msgspec.json.encode),
    ("hash", hash),
    ("dict", vars),
]


@pytest.mark.parametrize(("name", "show"), SHOWN, ids=[case[0] for case in SHOWN])
def test_hidden(name: str, show: object) -> None:
    assert "Tr0ub4dor" not in show(Secret("Tr0ub4dor"))  # type: ignore[operator]


@pytest.mark.parametrize(("name", "leak"), FAILS, ids=[case[0] for case in FAILS])
def test_refused_without_telling(name: str, leak: object) -> None:
    with pytest.raises(TypeError) as fault:
        leak(Secret("Tr0ub4dor"))  # type: ignore[operator]
    assert "Tr0ub4dor" not in "".join(traceback.format_exception_only(fault.value))


def test_same() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_no_secret(text: str) -> None:
    with pytest.raises(ValueError, match="without zero bytes"):
        Secret(text)


@pytest.mark.parametrize("bits", [60, 80, 100, 128])
def test_new_ones(bits: int) -> None:
    made = {new_secret(bits).reveal() for _ in range(200)}
    assert len(made) == 200
    for text in made:
        signs = text.replace("-", "")
        assert math.log2(23) + (len(signs) - 1) * math.log2(31) >= bits + 1
        assert signs[0].isupper()
        assert any(sign.isdigit() for sign in signs)
        assert not set(signs) & set("ilo01ILO")
        assert all(len(group) == 4 for group in text.split("-"))


def test_too_short() -> None:
    with pytest.raises(ValueError, match="too few"):
        new_secret(40)
