"""Which TLSA records fit which certificates, with an authority of our own."""

import sys
from datetime import timedelta
from hashlib import sha256, sha512
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from hypothesis import given
from hypothesis import strategies as st

from outwarden.authentication.answers import RecordType
from outwarden.authentication.dane import Showing, Shown, check_dane
from outwarden.authentication.receiver_rules import Severity
from outwarden.authentication.report import State
from outwarden.authentication.tlsa import Tlsa, advised_tlsa, misfit, public_key, read_tlsa

sys.path.insert(0, str(Path(__file__).parent))
from own_authority import NOW, Holder, made
from zones import Zones

HOST, DOMAIN = "mx.isp.example", "isp.example"
ROOT = made("Root", authority=True)
MIDDLE = made("Middle", ROOT, authority=True)
OLD_MIDDLE = made("Old middle", ROOT, authority=True, days=-1)
OTHER_ROOT = made("Root", authority=True)
OWN = made("mx", MIDDLE, names=(HOST,))
FOR_DOMAIN = made("mx", MIDDLE, names=("x.example", "ISP.example"))
WILDCARD = made("mx", MIDDLE, names=("*.isp.example",))
BY_COMMON_NAME = made(HOST, MIDDLE)
NAMED_OTHERWISE = made(HOST, MIDDLE, names=("elsewhere.example",))
EXPIRED = made("mx", MIDDLE, names=(HOST,), days=-1)
BY_NO_AUTHORITY = made("mx", OWN, names=(HOST,))
BY_AN_OLD_ONE = made("mx", OLD_MIDDLE, names=(HOST,))
ALONE = made(HOST, names=(HOST,))
RSA_ROOT = made("RSA", authority=True, key=generate_rsa_key(65537, 2048))
BY_RSA = made("mx", RSA_ROOT, names=(HOST,))
ED_ROOT = made("Ed25519", authority=True, key=Ed25519PrivateKey.generate())
BY_ED = made("mx", ED_ROOT, names=(HOST,))


def record(usage: int, selector: int, matching: int, holder: Holder) -> Tlsa:
    octets = holder.spki if selector else holder.der
    found = read_tlsa(f"{usage} {selector} {matching} {(bytes, _sha256, _sha512)[matching](octets).hex()}")
    assert isinstance(found, Tlsa)
    return found


def _sha256(octets: bytes) -> bytes:
    return sha256(octets).digest()


def _sha512(octets: bytes) -> bytes:
    return sha512(octets).digest()


EVERY_WAY = [(selector, matching) for selector in (0, 1) for matching in (0, 1, 2)]


@pytest.mark.parametrize(("selector", "matching"), EVERY_WAY)
def test_each_selector_and_matching_type(selector: int, matching: int) -> None:
    chain = [OWN.der, MIDDLE.der, ROOT.der]
    for usage, of, another in ((3, OWN, ALONE), (2, MIDDLE, OTHER_ROOT), (2, ROOT, OTHER_ROOT)):
        assert misfit(record(usage, selector, matching, of), chain, (HOST,), NOW) is None
        assert misfit(record(usage, selector, matching, another), chain, (HOST,), NOW) is not None


# Name, record, what is shown, words of the fault (None: it fits).
CASES = [
    ("a host's own that is out of date", record(3, 1, 1, EXPIRED), [EXPIRED], None),
    ("a host's own for another name", record(3, 0, 1, NAMED_OTHERWISE), [NAMED_OTHERWISE], None),
    ("a host's own that is in the wrong place", record(3, 1, 1, OWN), [MIDDLE, OWN], "is not of the key that it shows"),
    ("another certificate", record(3, 0, 2, ALONE), [OWN, MIDDLE], "is not of the certificate that it shows"),
    ("by an authority, not in order", record(2, 1, 1, ROOT), [OWN, ROOT, MIDDLE], None),
    ("by an authority for the domain", record(2, 0, 1, ROOT), [FOR_DOMAIN, MIDDLE, ROOT], None),
    ("by an authority for a wildcard", record(2, 0, 1, MIDDLE), [WILDCARD, MIDDLE], None),
    ("by an authority for a common name", record(2, 0, 1, MIDDLE), [BY_COMMON_NAME, MIDDLE], None),
    ("a common name beside names", record(2, 0, 1, MIDDLE), [NAMED_OTHERWISE, MIDDLE], f"not for {HOST} or {DOMAIN}"),
    ("out of date by an authority", record(2, 0, 1, MIDDLE), [EXPIRED, MIDDLE], "its certificate is out of date"),
    ("an authority out of date", record(2, 0, 1, ROOT), [BY_AN_OLD_ONE, OLD_MIDDLE, ROOT], "of no authority"),
    ("an authority that is not shown", record(2, 0, 1, ROOT), [OWN, MIDDLE], "of no authority"),
    ("an authority that is whole in the record", record(2, 0, 0, ROOT), [OWN, MIDDLE], None),
    ("a key that is whole in the record", record(2, 1, 0, ROOT), [OWN, MIDDLE], None),
    ("a key of RSA that is whole in the record", record(2, 1, 0, RSA_ROOT), [BY_RSA], None),
    ("a key of Ed25519 that is whole in the record", record(2, 1, 0, ED_ROOT), [BY_ED], None),
    ("another key that is whole in the record", record(2, 1, 0, RSA_ROOT), [BY_ED], "of no authority"),
    ("the host's own key as an authority", record(2, 1, 0, OWN), [OWN, MIDDLE], "of no authority"),
    ("no key in the record", Tlsa(2, 1, 0, b"hello"), [OWN, MIDDLE], "of no authority"),
    ("a link is missing", record(2, 0, 0, ROOT), [OWN], "of no authority"),
    ("an authority of the same name", record(2, 0, 1, OTHER_ROOT), [OWN, MIDDLE, OTHER_ROOT], "of no authority"),
    ("a host that plays the authority", record(2, 0, 1, OWN), [BY_NO_AUTHORITY, OWN, MIDDLE], "of no authority"),
    ("its own authority", record(2, 1, 1, ALONE), [ALONE], "of no authority"),
    ("nothing is shown", record(3, 1, 1, OWN), [], "is not of the key"),
]


@pytest.mark.parametrize(("tlsa", "shown", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_record_fits_or_not(tlsa: Tlsa, shown: list[Holder], words: str | None) -> None:
    found = misfit(tlsa, [each.der for each in shown], (HOST, DOMAIN), NOW)
    assert (found is None) is (words is None), found
    assert (words or "") in (found or "")


def test_the_time_is_that_of_the_caller() -> None:
    later = NOW + timedelta(days=31)
    chain = [OWN.der, MIDDLE.der]
    assert misfit(record(3, 1, 1, OWN), chain, (HOST,), later) is None
    assert misfit(record(2, 0, 1, MIDDLE), chain, (HOST,), later) is not None


def test_the_key_is_taken_as_it_stands() -> None:
    assert public_key(OWN.der) == OWN.spki
    assert advised_tlsa([OWN.der]) == f"3 1 1 {sha256(OWN.spki).hexdigest()}"


@given(octets=st.binary(max_size=80) | st.integers(0, len(OWN.der)).map(lambda end: OWN.der[:end]))
def test_what_is_no_certificate_fits_nothing(octets: bytes) -> None:
    if octets == OWN.der:
        return
    assert advised_tlsa([octets]) is None
    for tlsa in (record(3, 1, 1, ALONE), record(2, 1, 1, MIDDLE), record(2, 0, 0, MIDDLE)):
        assert misfit(tlsa, [octets], (HOST,), NOW)
        assert misfit(tlsa, [OWN.der, octets], ("elsewhere.example",), NOW)


def _text(tlsa: Tlsa) -> str:
    return f"{tlsa.usage} {tlsa.selector} {tlsa.matching} {tlsa.association.hex()}"


FITS, MISSES = _text(record(3, 1, 1, OWN)), _text(record(3, 1, 1, ALONE))
SHOWN = Shown((OWN.der, MIDDLE.der))
OLD_USAGE = "1 1 1 " + "ab" * 32
# Name, records, validated, what is shown, states of the checks, words of the last.
CHECKS = [
    ("fits", [FITS], True, SHOWN, ["dane pass", "dane-certificate pass"], "fits what it shows"),
    ("one fits", [FITS, MISSES], True, SHOWN, ["dane pass", "dane-certificate pass"], "1 more does not, as when"),
    ("none fits", [MISSES], True, SHOWN, ["dane pass", "dane-certificate fail"], "is not of the key that it shows"),
    ("none fits, and nobody sees", [MISSES], False, SHOWN, ["dane warn", "dane-certificate warn"], "without DNSSEC"),
    ("fits, and nobody sees", [FITS], False, SHOWN, ["dane warn", "dane-certificate pass"], "fits what it shows"),
    ("no TLS", [FITS], True, Shown(fault="no TLS", refused=True), ["dane pass", "dane-certificate fail"], "no TLS"),
    ("no answer", [FITS], True, Shown(fault="not in time"), ["dane pass", "dane-certificate unknown"], "not in time"),
    ("none can be used", [OLD_USAGE], True, None, ["dane fail"], "usage 1"),
    ("no records", [], True, None, [], None),
]


@pytest.mark.parametrize(
    ("values", "secure", "shown", "states", "words"), [case[1:] for case in CHECKS], ids=[case[0] for case in CHECKS]
)
def test_the_check(values: list[str], secure: bool, shown: Shown | None, states: list[str], words: str | None) -> None:
    def probe(host: str) -> Shown:
        assert (host, shown is not None) == (HOST, True), "asked only where a record can be used"
        assert shown is not None
        return shown

    zones = Zones({f"_25._tcp.{HOST}": {RecordType.TLSA: values}}, secure=secure)
    checks = check_dane((HOST,), zones, Showing(probe, DOMAIN, NOW))
    assert [f"{check.name} {check.state}" for check in checks] == states
    assert not checks or (words or "") in checks[-1].text
    for check in checks:
        if check.name == "dane-certificate" and check.state is State.FAIL:
            assert check.severity is Severity.CRITICAL
            assert check.record_to_publish == (f"_25._tcp.{HOST}. IN TLSA {FITS}" if shown == SHOWN else None)


def test_of_very_many_mail_exchangers_some_are_asked() -> None:
    hosts = tuple(f"mx{number}.isp.example" for number in range(50))
    zones = Zones({f"_25._tcp.{host}": {RecordType.TLSA: [FITS]} for host in hosts}, secure=True)
    asked: list[str] = []

    def probe(host: str) -> Shown:
        asked.append(host)
        return SHOWN

    check_dane(hosts, zones, Showing(probe, DOMAIN, NOW))
    assert asked == list(hosts[:10])
