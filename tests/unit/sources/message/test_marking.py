"""The headers that a message of an account is given: what they hold, and that none can end early."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.message.mark import Marked, MarkKeys, read_mark
from outwarden.sources.message.marking import UnusableHeader, marked_headers

AT = datetime(2026, 11, 25, tzinfo=UTC)
KEYS = MarkKeys([b"k" * 32])
NONCE = b"twelve bytes"


def headers(account: str = "rosa@isp.example", **settings: str) -> dict[str, str]:
    found = marked_headers(KEYS, account, "mx", AT, NONCE, **settings)
    assert len(dict(found)) == len(found)
    return dict(found)


def test_only_the_mark_is_there_unless_the_site_wants_more() -> None:
    assert list(headers()) == ["Outwarden-Mark"]


def test_all_of_them() -> None:
    found = headers(feedback_id="isp-example", cfbl_address="fbl@isp.example")
    assert list(found) == ["Outwarden-Mark", "Feedback-ID", "CFBL-Address", "CFBL-Feedback-ID"]
    assert found["CFBL-Address"] == "fbl@isp.example; report=arf"
    rosa = Marked("rosa@isp.example", "mx", AT)
    assert read_mark(KEYS, found["Outwarden-Mark"]) == read_mark(KEYS, found["CFBL-Feedback-ID"]) == rosa


def test_a_feedback_id_is_the_same_for_all_mail_of_an_account_and_names_nobody() -> None:
    found = headers(feedback_id="isp-example")["Feedback-ID"]
    token, sender = found.split(":")
    assert sender == "isp-example"
    assert len(token) == 12
    again = dict(marked_headers(KEYS, "rosa@isp.example", "mx2", AT, b"another room", feedback_id="isp-example"))
    assert again["Feedback-ID"] == found
    assert headers("otto@isp.example", feedback_id="isp-example")["Feedback-ID"] != found
    other_site = marked_headers(MarkKeys([b"x" * 32]), "rosa@isp.example", "mx", AT, NONCE, feedback_id="isp-example")
    assert dict(other_site)["Feedback-ID"] != found


def test_a_name_too_long_leaves_the_mark_out_and_nothing_else() -> None:
    found = headers("a" * 400, feedback_id="isp-example", cfbl_address="fbl@isp.example")
    assert list(found) == ["Feedback-ID", "CFBL-Address"]


@pytest.mark.parametrize(
    "settings",
    [
        {"feedback_id": "isp"},
        {"feedback_id": "isp-example-and-more"},
        {"feedback_id": "isp:example"},
        {"feedback_id": "isp\nBcc: x"},
        {"feedback_id": "isp-example\n"},
        {"feedback_id": "größe"},
        {"cfbl_address": "isp.example"},
        {"cfbl_address": "fbl@isp.example\r\nBcc: x@far.example"},
        {"cfbl_address": "fbl@isp.example\n"},
        {"cfbl_address": "fbl@isp.example; report=xarf"},
        {"cfbl_address": "Feedback <fbl@isp.example>"},
        {"cfbl_address": '"a b"@isp.example'},
        {"cfbl_address": "fbl@localhost"},
        {"cfbl_address": "a@b@isp.example"},
    ],
)
def test_what_is_no_value_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(UnusableHeader):
        headers(**settings)


@given(account=st.text(max_size=400), host=st.text(max_size=300), nonce=st.binary(min_size=12, max_size=12))
def test_no_name_ends_a_header(account: str, host: str, nonce: bytes) -> None:
    found = marked_headers(KEYS, account, host, AT, nonce, feedback_id="isp-example", cfbl_address="fbl@isp.example")
    for name, value in found:
        lines = f"{name}: {value}".split("\n")
        assert all(line.isascii() and line.isprintable() and len(line) < 78 for line in lines)
        assert all(line.startswith(" ") and line.strip() for line in lines[1:])
