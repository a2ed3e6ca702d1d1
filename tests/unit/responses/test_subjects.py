"""What a stranger or a tired operator may name, and what must never get through to a mail server."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.responses.subjects import MalformedSubject, account, destination, queue_id

GOOD = [
    ("an address", account, "Rosa+News@ISP.example", "rosa+news@isp.example"),
    ("a login without a domain", account, "rosa", "rosa"),
    ("letters of other scripts", account, "Żaneta@isp.example", "żaneta@isp.example"),
    ("a domain", destination, "BigMail.Example.", "bigmail.example"),
    ("a domain in its own script", destination, "bücher.example", "xn--bcher-kva.example"),
    ("a short ID of Postfix", queue_id, "4C9D2E1A", "4C9D2E1A"),
    ("a long ID of Postfix", queue_id, "4jZ5444YKqzFG91", "4jZ5444YKqzFG91"),
    ("an ID of Exim", queue_id, "1oXyZw-0001Ab-CD", "1oXyZw-0001Ab-CD"),
    ("an ID of Exim 4.97", queue_id, "1oXyZw-00000001Abc-1D2e", "1oXyZw-00000001Abc-1D2e"),
]
BAD = [
    *(
        (f"an account with {what}", account, text)
        for what, text in [
            ("nothing", ""),
            ("a leading hyphen", "-Mrm"),
            ("no local part", "@isp.example"),
            ("white space", "rosa isp"),
            ("a line break", "rosa@isp.example\nall: HOLD"),
            ("a brace", "rosa} } static:OK { {x"),
            ("a parameter", "$config_directory"),
            ("an equals sign", "rosa=OK"),
            ("a colon", "rosa: x"),
            ("a quote", "rosa'"),
            ("a backtick", "`id`"),
            ("an override of direction", "rosa\u202e@isp.example"),
            ("more than is allowed", "a" * 255),
        ]
    ),
    *(
        (f"a destination with {what}", destination, text)
        for what, text in [
            ("nothing", ""),
            ("one label", "localhost"),
            ("a wildcard", "*"),
            ("a space", "big mail.example"),
            ("a brace", "a.example } { b.example"),
            ("an empty label", "a..example"),
            ("a leading hyphen", "-a.example"),
            ("a label that is too long", "a" * 64 + ".example"),
        ]
    ),
    *(
        (f"a queue ID that is {what}", queue_id, text)
        for what, text in [
            ("every message", "ALL"),
            ("an option", "-d"),
            ("a path", "../4C9D2E1A"),
            ("two", "4C9D2E1A 4C9D2E1B"),
            ("with a line break", "4C9D2E1A\n"),
        ]
    ),
]


@pytest.mark.parametrize(("read", "text", "expected"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD])
def test_a_subject_in_the_form_that_tables_want(read: Callable[[str], str], text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(("read", "text"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_could_mean_something_else_is_refused(read: Callable[[str], str], text: str) -> None:
    with pytest.raises(MalformedSubject) as fault:
        read(text)
    assert "\n" not in str(fault.value)


@given(st.text(max_size=80))
def test_nothing_that_passes_can_end_a_table_an_option_or_a_line(text: str) -> None:
    for read in (account, destination, queue_id):
        try:
            passed = read(text)
        except MalformedSubject:
            continue
        assert passed
        assert not set(passed) & set(" \t\r\n{}$,:;='\"`\\<>|&")
        assert not passed.startswith("-")
        assert passed != "ALL" or read is not queue_id
