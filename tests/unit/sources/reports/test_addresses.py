"""Addresses in the fields and the words of reports."""

import pytest

from outwarden.sources.reports.addresses import addresses_in, bare_name, is_a_machine, typed_address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("rfc822; otto@far.example", "otto@far.example"),
        ("RFC822;<Otto@Far.Example>", "Otto@far.example"),
        ("otto@far.example", "otto@far.example"),
        ("rfc822; otto@far.example (Otto)", "otto@far.example"),
        ('rfc822; "otto smith"@far.example', '"otto smith"@far.example'),
        ("utf-8; j\\x{F6}rg@far.example", "jörg@far.example"),
        ("utf-8; \\x{110000}@far.example", "?@far.example"),
        ("rfc822; otto@[192.0.2.44]", "otto@[192.0.2.44]"),
        ("LOCAL; otto", None),
        ("rfc822;", None),
        ("", None),
    ],
)
def test_a_recipient_field(written: str, address: str | None) -> None:
    assert typed_address(written) == address


@pytest.mark.parametrize(
    ("written", "name"),
    [("rfc822; otto", "otto"), ("<otto>", "otto"), ("X-Unix; |/bin/sh", None), ("two words", None), ("", None)],
)
def test_a_name_without_a_domain(written: str, name: str | None) -> None:
    assert bare_name(written) == name


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("to <otto@far.example>.", ["otto@far.example"]),
        ("otto@far.example: no", ["otto@far.example"]),
        ("(otto@far.example)\uff0cida@far.example", ["otto@far.example", "ida@far.example"]),
        ("otto@far.example's mailbox", ["otto@far.example"]),
        ("an @ alone, and otto@", []),
        ("收件人otto@far.example不存在", ["otto@far.example"]),
    ],
)
def test_in_words(words: str, found: list[str]) -> None:
    assert addresses_in(words) == found


def test_machines() -> None:
    assert is_a_machine("MAILER-DAEMON@far.example")
    assert is_a_machine("postmaster")
    assert not is_a_machine("otto@far.example")
