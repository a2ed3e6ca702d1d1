"""Whatever strangers publish or send: an answer or the room's own error, and soon."""

import sys
import time
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.authentication.answers import Answer, RecordType
from outwarden.authentication.cfbl import check_cfbl
from outwarden.authentication.dkim_canonical import canonical_body, read_message
from outwarden.authentication.dkim_keys import MalformedKey, parse_key
from outwarden.authentication.dmarc import MalformedDmarc, parse_dmarc
from outwarden.authentication.domain_checks import Own, Reaching, check_domain
from outwarden.authentication.domain_names import MalformedDomain, parse_domain
from outwarden.authentication.mta_sts import MalformedPolicy, parse_policy
from outwarden.authentication.spf import Sending, SpfResult, evaluate_spf
from outwarden.authentication.spf_syntax import MalformedSpf, parse_spf
from outwarden.authentication.tag_lists import MalformedTags, parse_tags
from outwarden.authentication.tlsa import read_tlsa

sys.path.insert(0, str(Path(__file__).parent))

PIECES = st.sampled_from(
    [
        *(
            "v=spf1",
            " ",
            "a",
            "mx",
            "ptr",
            "all",
            "-",
            "~",
            ":",
            "/",
            "//",
            "24",
            "%{",
            "}",
            "%{d}",
            "%{ir}",
            "%%",
            "%",
        ),
        *("include:", "exists:", "redirect=", "exp=", "ip4:", "ip6:", "192.0.2.1", "2001:db8::", "x.example", "."),
        *("v=DMARC1", ";", "p=", "none", "rua=", "mailto:", "@", "!10m", ",", "pct=", "psd=y", "v=DKIM1", "k=rsa"),
        *("AAAA", "t=y:s", "v=STSv1", "id=1", "\u00e9", "\udcff", "\x00", "\n", "=", "MFwwDQYJKoZIhvcNAQEBBQAD"),
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=200)
READERS = [
    (parse_spf, MalformedSpf),
    (parse_dmarc, MalformedDmarc),
    (parse_key, MalformedKey),
    (parse_policy, MalformedPolicy),
    (parse_tags, MalformedTags),
    (parse_domain, MalformedDomain),
]


@pytest.mark.parametrize(("reader", "malformed"), READERS, ids=[reader.__name__ for reader, _ in READERS])
@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_reader_raises_nothing_but_its_own_error(reader, malformed, text: str) -> None:  # noqa: ANN001
    try:
        reader(text)
    except malformed as fault:
        assert str(fault)


@given(text=TEXTS)
def test_a_tlsa_record_never_raises(text: str) -> None:
    read_tlsa(text)


class Hostile:
    """A DNS in which every name has the same texts, hosts and addresses."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._values = {
            RecordType.TXT: texts,
            RecordType.A: ("192.0.2.1",),
            RecordType.AAAA: ("2001:db8::1",),
            RecordType.MX: ("10 x.example", "0 ", "70000 192.0.2.1"),
            RecordType.PTR: ("x.example", "..", "\x1b[31m.example"),
            RecordType.TLSA: texts,
        }
        self.asked = 0

    def ask(self, _name: str, kind: RecordType) -> Answer:
        self.asked += 1
        return Answer(self._values.get(kind, ()))


FIELDS = (
    "From: |DKIM-Signature: |rosa@isp.example|\r\n|\n| |v=1;|a=rsa-sha256;|c=relaxed;|d=isp.example;|s=s1;|h=from;|"
    "bh=AAAA;|b=AAAA|CFBL-Address:|l=1;|x=9;|\u00e9|:"
)
MESSAGES = st.binary(max_size=300) | st.lists(st.sampled_from(FIELDS.split("|")), max_size=40).map(
    lambda pieces: "".join(pieces).encode()
)


@given(texts=st.lists(TEXTS, max_size=3), message=MESSAGES)
@settings(max_examples=200, deadline=None)
def test_all_checks_end_with_few_questions(texts: list[str], message: bytes) -> None:
    zones = Hostile(tuple(texts))
    read = read_message(message)
    own = Own((ip_address("192.0.2.1"), ip_address("2001:db8::1")), "x.example", ("s1",), read)
    check_domain("isp.example", own, zones, Reaching(), 0)
    check_cfbl(read)
    assert zones.asked < 3000


@given(text=TEXTS, local=st.text(max_size=20), helo=st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_spf_always_has_a_result(text: str, local: str, helo: str) -> None:
    zones = Hostile((f"v=spf1 {text}",))
    sending = Sending(ip_address("198.51.100.1"), helo, f"{local}@isp.example")
    assert evaluate_spf(sending, zones).result in SpfResult
    assert zones.asked < 300


MEGABYTE = 1_000_000
BIG = [
    ("spf of slashes", lambda: _quiet(parse_spf, "v=spf1 a:" + "/" * MEGABYTE, MalformedSpf)),
    ("spf of digits", lambda: _quiet(parse_spf, "v=spf1 a:x.example/" + "1" * MEGABYTE, MalformedSpf)),
    ("spf of macros", lambda: _quiet(parse_spf, "v=spf1 exists:" + "%{d" * (MEGABYTE // 3), MalformedSpf)),
    ("spf of percents", lambda: _quiet(parse_spf, "v=spf1 a:" + "%%" * (MEGABYTE // 2), MalformedSpf)),
    ("spf of terms", lambda: _quiet(parse_spf, "v=spf1" + " mx" * (MEGABYTE // 3), MalformedSpf)),
    ("a body of empty lines", lambda: canonical_body(b"\r\n" * (MEGABYTE // 2) + b"x", relaxed=True)),
    ("a body of blanks", lambda: canonical_body(b" \t" * (MEGABYTE // 2), relaxed=True)),
    ("a header of blanks", lambda: read_message(b"a" + b" " * MEGABYTE + b"\r\n\r\n")),
    ("a header of folds", lambda: read_message(b"a:" + b"\r\n " * (MEGABYTE // 3) + b"\r\n\r\n")),
    ("a header of fields", lambda: read_message(b"a:b\r\n" * (MEGABYTE // 5))),
    ("a header of line feeds", lambda: read_message(b"\n" * MEGABYTE)),
    (
        "a field of semicolons",
        lambda: check_cfbl(read_message(b"CFBL-Address: a@b" + b" ;" * (MEGABYTE // 2) + b"\r\n")),
    ),
    ("a policy of lines", lambda: _quiet(parse_policy, "mx: a\n" * (MEGABYTE // 6), MalformedPolicy)),
]


def _quiet(reader, text: str, malformed: type[ValueError]) -> None:  # noqa: ANN001
    with suppress(malformed):
        reader(text)


@pytest.mark.parametrize("read", [case[1] for case in BIG], ids=[case[0] for case in BIG])
def test_a_megabyte_of_malice_takes_no_time(read) -> None:  # noqa: ANN001
    started = time.process_time()
    read()
    assert time.process_time() - started < 5
