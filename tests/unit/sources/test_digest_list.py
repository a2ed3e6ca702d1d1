"""The list of files that nobody is to send, as ``sha256sum`` writes it."""

import pytest

from outwarden.sources import digest_list
from outwarden.sources.digest_list import MalformedDigestList, read_digest_list

A, B = "0123456789abcdef" * 4, "f" * 64
LISTS = [
    ("", set()),
    (A, {A}),
    (f"# ours\n\n{A}  invoice.pdf\n  {B.upper()} *b c.zip\n", {A, B}),
    (f"\\{A}  a\\nb\n{A}\n", {A}),
]


@pytest.mark.parametrize(("text", "expected"), LISTS)
def test_digests(text: str, expected: set[str]) -> None:
    assert read_digest_list(text.splitlines()) == expected


@pytest.mark.parametrize("wrong", [A[1:], A + "0", "g" * 64, "\N{ARABIC-INDIC DIGIT ZERO}" * 64, "invoice.pdf"])
def test_what_is_no_digest_is_told_with_its_line(wrong: str) -> None:
    with pytest.raises(MalformedDigestList, match=r"line 2: .* is no SHA-256 of 64 hexadecimal digits"):
        read_digest_list([A, wrong])


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest_list, "MOST_DIGESTS", 1)
    assert read_digest_list([A, A]) == {A}
    with pytest.raises(MalformedDigestList, match="line 3: more than 1 digests"):
        read_digest_list([A, A, B])
