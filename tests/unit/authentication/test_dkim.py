"""DKIM keys and signatures, with keys made here."""

import base64
import hashlib
import sys
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from outwarden.authentication.answers import RecordType
from outwarden.authentication.dkim import DkimResult, selectors, verify_dkim
from outwarden.authentication.dkim_canonical import canonical_body, canonical_field, read_message
from outwarden.authentication.dkim_checks import check_dkim_keys, check_message
from outwarden.authentication.dkim_keys import MalformedKey, parse_key
from outwarden.authentication.report import State

sys.path.insert(0, str(Path(__file__).parent))
from zones import Zones

BODY = b"Hello  there \r\n\r\nbye\r\n\r\n\r\n"
AT = 1_800_000_000
NAME = "s1._domainkey.isp.example"


@cache
def rsa_key(bits: int) -> RSAPrivateKey:
    return generate_private_key(65537, bits)


@cache
def ed25519_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def record(kind: str = "rsa", more: str = "", bits: int = 1024) -> str:
    if kind == "rsa":
        public = rsa_key(bits).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        public = ed25519_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k={kind};{more} p={base64.b64encode(public).decode()}"


def signed(kind: str = "rsa", more: str = "", author: str = "rosa@isp.example", form: str = "relaxed/relaxed") -> bytes:
    """A message with one signature, made the way RFC 6376 says and not by the code under test alone."""
    header = f"From: {author}\r\nSubject: a  \r\n  folded one\r\n".encode()
    body_hash = base64.b64encode(hashlib.sha256(canonical_body(BODY, form.endswith("relaxed"))).digest()).decode()
    tags = f"v=1; a={kind}-sha256; c={form}; d=isp.example; s=s1; h=from:subject;{more} bh={body_hash}; b="
    unsigned = read_message(f"DKIM-Signature: {tags}\r\n".encode() + header + b"\r\n").fields
    relaxed = form.startswith("relaxed")
    text = b"".join(canonical_field(field, relaxed) + b"\r\n" for field in unsigned[1:])
    text += canonical_field(unsigned[0], relaxed)
    if kind == "rsa":
        signature = rsa_key(1024).sign(text, PKCS1v15(), SHA256())
    else:
        signature = ed25519_key().sign(hashlib.sha256(text).digest())
    tags += base64.b64encode(signature).decode()
    return f"DKIM-Signature: {tags}\r\n".encode() + header + b"\r\n" + BODY


def verdict(message: bytes, key: str, at: int = AT) -> tuple[DkimResult, str]:
    (found,) = verify_dkim(read_message(message), Zones({NAME: {RecordType.TXT: [key]}}), at)
    return found.result, found.because


GOOD = DkimResult.PASS
BAD = DkimResult.FAIL
INVALID = DkimResult.INVALID
FORMS = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_good_signature(kind: str, form: str) -> None:
    assert verdict(signed(kind, form=form), record(kind))[0] is GOOD


@pytest.mark.parametrize("form", FORMS)
def test_line_ends_of_a_file_do_not_matter(form: str) -> None:
    assert verdict(signed(form=form).replace(b"\r\n", b"\n"), record())[0] is GOOD


MESSAGES = [
    ("body changed", signed().replace(b"bye", b"bye!"), record(), BAD, "body was changed"),
    ("signed field changed", signed().replace(b"folded", b"fold"), record(), BAD, "header field"),
    ("relaxed forms forgive blanks", signed().replace(b"Hello  there ", b"Hello there"), record(), GOOD, ""),
    ("empty lines at the end", signed() + b"\r\n\r\n", record(), GOOD, ""),
    ("a field added above", b"Subject: other\r\n" + signed(), record(), GOOD, ""),
    ("expired", signed(more=f" x={AT - 1};"), record(), INVALID, "expired"),
    ("not yet expired", signed(more=f" x={AT + 1};"), record(), GOOD, ""),
    ("expires before it was made", signed(more=" t=20; x=10;"), record(), INVALID, "before it was made"),
    ("for a name below", signed(more=" i=rosa@mail.isp.example;"), record(), GOOD, ""),
    ("for a name below, key is strict", signed(more=" i=@mail.isp.example;"), record(more=" t=s;"), INVALID, "t=s"),
    ("for another domain", signed(more=" i=@other.example;"), record(), INVALID, "not within"),
    ("asks in several ways", signed(more=" q=foo/bar:dns/txt;"), record(), GOOD, ""),
    ("asks in an unknown way", signed(more=" q=http;"), record(), INVALID, "by DNS"),
    ("key of another kind", signed(), record("ed25519"), INVALID, "kind ed25519"),
    ("revoked", signed(), "v=DKIM1; p=", INVALID, "revoked"),
    ("not for mail", signed(), record(more=" s=tlsrpt;"), INVALID, "not for mail"),
    ("another hash only", signed(), record(more=" h=sha1;"), INVALID, "not allow sha256"),
    ("the shortest key that is believed", signed(), record(bits=1024), GOOD, ""),
    ("spaces and unknown tags in the key", signed(), record(more=" x1 = extra ; t = z ;"), GOOD, ""),
    ("tag twice", signed(more=" q=dns/txt; q=dns/txt;"), record(), INVALID, "twice"),
    ("no From", signed().replace(b"h=from:", b"h=sender:"), record(), INVALID, "From"),
]


@pytest.mark.parametrize(
    ("message", "key", "result", "because"), [case[1:] for case in MESSAGES], ids=[case[0] for case in MESSAGES]
)
def test_a_message(message: bytes, key: str, result: DkimResult, because: str) -> None:
    found, why = verdict(message, key)
    assert found is result
    assert because in why


def test_a_key_that_could_not_be_asked_for() -> None:
    zones = Zones({}, {(NAME, RecordType.TXT): "timeout"})
    (found,) = verify_dkim(read_message(signed()), zones, AT)
    assert found.result is DkimResult.COULD_NOT_ASK


def test_selectors_of_our_own_mail() -> None:
    assert selectors(read_message(signed())) == [("isp.example", "s1")]


KEYS = [
    ("no tags", "hello", "no tag=value"),
    ("no key", "v=DKIM1; k=rsa", 'no "p="'),
    ("another version", "v=DKIM2; p=", "v=DKIM1"),
    ("version not first", "k=rsa; v=DKIM1; p=", "come first"),
    ("unknown kind", "k=dsa; p=AAAA", "unknown kind"),
    ("cut off", record()[:-7], "base64|no RSA key"),
    ("no base64", "k=rsa; p=!!!!", "base64"),
    ("not a key", "k=rsa; p=AAAA", "no RSA key"),
    ("Ed25519 of the wrong length", "k=ed25519; p=AAAA", "3 bytes"),
    ("a tag twice", "p=; p=", "twice"),
]


@pytest.mark.parametrize(("text", "why"), [case[1:] for case in KEYS], ids=[case[0] for case in KEYS])
def test_a_malformed_key(text: str, why: str) -> None:
    with pytest.raises(MalformedKey, match=why):
        parse_key(text)


# Name, the record (None: there is none), and check and state in their order.
KEY_CHECKS = [
    ("good", record("ed25519"), [("dkim-key", "pass"), ("dkim-key-strength", "pass")]),
    ("1024 bits", record(), [("dkim-key", "pass"), ("dkim-key-strength", "warn")]),
    (
        "test flag",
        record("ed25519", " t=y;"),
        [("dkim-key", "pass"), ("dkim-key-strength", "pass"), ("dkim-key-testing", "fail")],
    ),
    ("revoked", "v=DKIM1; p=", [("dkim-key", "fail")]),
    ("malformed", "v=DKIM1", [("dkim-key", "fail")]),
    ("none", None, [("dkim-key", "fail")]),
]


@pytest.mark.parametrize(("text", "states"), [case[1:] for case in KEY_CHECKS], ids=[case[0] for case in KEY_CHECKS])
def test_the_checks_of_a_key(text: str | None, states: list[tuple[str, str]]) -> None:
    zones = Zones({NAME: {RecordType.TXT: [text] if text else []}})
    assert [(check.name, check.state) for check in check_dkim_keys("isp.example", ["s1"], zones)] == states


def test_the_record_without_the_test_flag() -> None:
    zones = Zones({NAME: {RecordType.TXT: [record("ed25519", " t=y:s;")]}})
    (advised,) = filter(None, (check.record_to_publish for check in check_dkim_keys("isp.example", ["s1"], zones)))
    assert advised == f'{NAME}. IN TXT "{record("ed25519", " t=s;")}"'


def test_without_a_selector_only_certainty_is_a_fault() -> None:
    assert check_dkim_keys("isp.example", [], Zones({"isp.example": {}}))[0].state is State.FAIL
    assert check_dkim_keys("isp.example", [], Zones({NAME: {}}))[0].state is State.UNKNOWN


# Name, author, DMARC records, and whether the signature of isp.example speaks for the author.
ALIGNMENT = [
    ("the same domain", "rosa@isp.example", {}, State.PASS),
    ("below it", "rosa@mail.isp.example", {"_dmarc.isp.example": "v=DMARC1; p=none"}, State.PASS),
    ("below it, strictly", "rosa@mail.isp.example", {"_dmarc.isp.example": "v=DMARC1; p=none; adkim=s"}, State.FAIL),
    ("below it, but nobody says it is one", "rosa@mail.isp.example", {}, State.FAIL),
    ("another", "rosa@other.example", {}, State.FAIL),
]


@pytest.mark.parametrize(
    ("author", "dmarc", "state"), [case[1:] for case in ALIGNMENT], ids=[case[0] for case in ALIGNMENT]
)
def test_alignment(author: str, dmarc: dict[str, str], state: State) -> None:
    table = {NAME: record(), **dmarc}
    zones = Zones({name: {RecordType.TXT: [text]} for name, text in table.items()})
    by_name = {check.name: check.state for check in check_message(read_message(signed(author=author)), zones, AT)}
    assert by_name == {"dkim-signature": State.PASS, "dmarc-alignment": state}
