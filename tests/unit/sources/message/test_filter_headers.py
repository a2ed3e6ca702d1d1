"""Verdicts of content filters in the header."""

import pytest

from outwarden.sources.message.filter_headers import filter_verdict, known_filter_headers

CASES = [
    ("SpamAssassin", "X-Spam-Flag", "YES", True),
    ("SpamAssassin, clean", "X-Spam-Status", "No, score=-1.2 required=5", False),
    ("SpamAssassin, spam", "X-Spam-Status", "Yes, score=9", True),
    ("Rspamd's result", "X-Spamd-Result", "default: True [16.00 / 15.00]; R_X(1.0)[]", True),
    ("Rspamd's result, clean", "X-Spamd-Result", "default: False [0.10 / 15.00]", False),
    ("Rspamd's action", "X-Rspamd-Action", "add header", True),
    ("Rspamd's action, greylisted", "X-Rspamd-Action", "greylist", False),
    ("Bogofilter", "X-Bogosity", "Spam, tests=bogofilter", True),
    ("Bogofilter, unsure", "X-Bogosity", "Unsure, tests=bogofilter", None),
    ("Exchange", "X-MS-Exchange-Organization-SCL", "9", True),
    ("Exchange, trusted sender", "X-MS-Exchange-Organization-SCL", "-1", False),
    ("Exchange Online", "X-Forefront-Antispam-Report", "CIP:192.0.2.1;CTRY:IT;SFV:SPM;SCL:5", True),
    ("nothing it would say", "X-Spam-Flag", "perhaps", None),
]


@pytest.mark.parametrize(("name", "value", "verdict"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_verdict(name: str, value: str, verdict: bool | None) -> None:
    fields = {name.lower().encode(): [value.encode()]}
    assert filter_verdict(fields, [name]) is verdict
    assert filter_verdict(fields, []) is None
    assert filter_verdict(fields, known_filter_headers() - {name.lower()}) is None


def test_of_several_the_one_that_says_spam_counts() -> None:
    fields = {b"x-spam-flag": [b"NO", b"YES", b"NO"]}
    assert filter_verdict(fields, ["X-Spam-Flag"]) is True


def test_a_header_that_nobody_knows_says_nothing() -> None:
    assert filter_verdict({b"x-own": [b"yes"]}, ["X-Own"]) is None
