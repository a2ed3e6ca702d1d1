"""The token in the link to an owner's page: for one purpose, one account, one time, and nobody else can make one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.message.mark import MarkKeys, mark_token, read_mark
from outwarden.store.link_tokens import Link, LinkFault, LinkKeys, LinkPurpose, token_digest

NOW = datetime(2026, 11, 25, 3, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
OLD, NEW = b"a" * 32, b"b" * 32
KEYS = LinkKeys([NEW, OLD])
LINK = Link(LinkPurpose.OWNER_PAGE, "rosa@isp.example", "OW-2041", LATER, b"i" * 16)


def test_a_token_says_what_was_put_into_it() -> None:
    token = KEYS.token(LINK)
    assert KEYS.read(token, LinkPurpose.OWNER_PAGE, NOW) == LINK
    assert "rosa" not in token and len(token) < 120


@given(account=st.text(max_size=60), case=st.text(max_size=20), token_id=st.binary(min_size=16, max_size=16))
def test_any_names_come_back(account: str, case: str, token_id: bytes) -> None:
    link = Link(LinkPurpose.CONFIRM_BULK, account, case, LATER, token_id)
    read = KEYS.read(KEYS.token(link), LinkPurpose.CONFIRM_BULK, NOW)
    assert isinstance(read, Link)
    assert read.account == account.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize(
    ("name", "purpose", "now", "expected"),
    [
        ("for something else", LinkPurpose.CONFIRM_BULK, NOW, LinkFault.NOT_OURS),
        ("a second before its end", LinkPurpose.OWNER_PAGE, LATER - timedelta(seconds=1), LINK),
        ("at its end", LinkPurpose.OWNER_PAGE, LATER, LinkFault.EXPIRED),
    ],
)
def test_when_a_token_works(name: str, purpose: LinkPurpose, now: datetime, expected: Link | LinkFault) -> None:
    assert KEYS.read(KEYS.token(LINK), purpose, now) == expected, name


def test_keys_can_be_changed() -> None:
    old = LinkKeys([OLD]).token(LINK)
    assert KEYS.read(old, LinkPurpose.OWNER_PAGE, NOW) == LINK
    assert LinkKeys([NEW]).read(old, LinkPurpose.OWNER_PAGE, NOW) is LinkFault.NOT_OURS


def test_no_letter_of_a_token_can_be_changed() -> None:
    token = KEYS.token(LINK)
    for place, letter in enumerate(token):
        forged = token[:place] + ("B" if letter == "A" else "A") + token[place + 1 :]
        assert KEYS.read(forged, LinkPurpose.OWNER_PAGE, NOW) is LinkFault.NOT_OURS
    for cut in (token[:-1], token[1:], token + "A", token + "=", ""):
        assert KEYS.read(cut, LinkPurpose.OWNER_PAGE, NOW) is LinkFault.NOT_OURS


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{40,200}", fullmatch=True))
def test_anything_else_is_none_of_ours(text: str) -> None:
    assert KEYS.read(text, LinkPurpose.OWNER_PAGE, NOW) is LinkFault.NOT_OURS


def test_a_mark_is_no_token_and_a_token_no_mark() -> None:
    marks = MarkKeys([NEW])
    mark = mark_token(marks, "rosa@isp.example", "mail.isp.example", NOW, b"n" * 12)
    assert KEYS.read(mark, LinkPurpose.OWNER_PAGE, NOW) is LinkFault.NOT_OURS
    assert read_mark(marks, KEYS.token(LINK)) is None


def test_what_is_kept_is_not_the_token() -> None:
    token = KEYS.token(LINK)
    assert token_digest(token) == token_digest(token) != token_digest(token + "A")
    assert token not in token_digest(token) and len(token_digest(token)) == 64


def test_what_no_token_can_hold_is_refused() -> None:
    for link in (LINK._replace(id=b"short"), LINK._replace(account="a" * 321), LINK._replace(case="c" * 321)):
        with pytest.raises(ValueError, match="an id has 16 bytes, account and case 320 at most"):
            KEYS.token(link)
    with pytest.raises(ValueError, match="at least one key"):
        LinkKeys([])
