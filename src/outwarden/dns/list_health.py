"""Whether a list may be believed: its controls (RFC 5782 section 5), and what a sweep shows.

A list is fit when an entry that must be there is, and what must not be there is not: the negative entry,
and names drawn at random that nobody can have listed.  One that is not fit says nothing, whatever it
answers.  The verdict is remembered for a while.  Pure: chance and time are handed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from outwarden.dns.blocklist import Blocklist, Form
from outwarden.dns.list_answers import Reading
from outwarden.dns.list_names import abusix_hash, spamhaus_hash, surbl_hash
from outwarden.dns.targets import TargetKind, WebAddress, half_name, reversed_address
from outwarden.events import ListAnswerKind, WhyNot

FIT_FOR = timedelta(minutes=30)
UNFIT_FOR = timedelta(minutes=10)
SUSPICIOUS_SHARE = 0.2
SECOND_LOOK_CANARIES = 16


class Expect(Enum):
    """What a control's answer must be."""

    LISTED = "listed"
    ABSENT = "absent"
    ABSENT_CANARY = "absent canary"


class Control(NamedTuple):
    """A question whose answer is known: ``part`` stands left of the zone."""

    part: str
    expect: Expect


class Health(NamedTuple):
    """May the list be believed?  ``why_not`` and ``meaning`` say why it may not."""

    fit: bool
    why_not: WhyNot | None = None
    meaning: str = ""


FIT = Health(True)

# RFC 5782 section 5: 127.0.0.2 and ::FFFF:7F00:2 are listed, 127.0.0.1 and ::FFFF:7F00:1 are not; of
# domains TEST is and INVALID is not.  Lists of domains often hold the address instead.
_LISTED = {
    TargetKind.IPV4: ("127.0.0.2",),
    TargetKind.IPV6: ("::ffff:7f00:2", "127.0.0.2"),
    TargetKind.DOMAIN: ("test", "127.0.0.2"),
    TargetKind.URL: ("127.0.0.2",),
}
_ABSENT = {
    TargetKind.IPV4: ("127.0.0.1",),
    TargetKind.IPV6: ("::ffff:7f00:1",),
    TargetKind.DOMAIN: ("invalid",),
    TargetKind.URL: (),
}
_HASHES = {Form.ABUSIX_URL: abusix_hash, Form.SPAMHAUS_URL: spamhaus_hash, Form.SURBL_URL: surbl_hash}


def proved_by(blocklist: Blocklist, kind: TargetKind) -> TargetKind:
    """The kind of target whose controls prove the list for this kind: of a URL most lists look at the domain."""
    if kind is TargetKind.URL and not _HASHES.keys() & set(blocklist.asks):
        return TargetKind.DOMAIN
    return kind


def controls(blocklist: Blocklist, kind: TargetKind, chance: bytes) -> tuple[Control, ...]:
    """The controls of a list for one kind of target; ``chance`` is at least 32 random bytes."""
    listed = [test for test in blocklist.test_listed if _is_for(test, kind)] or _LISTED[kind]
    absent = [test for test in blocklist.test_not_listed if _is_for(test, kind)] or _ABSENT[kind]
    far = canaries(blocklist, kind, chance, 2)
    # Lists are asked about the /64 of an IPv6 address too, so that form has a canary of its own.
    nets = [half_name(far[1])] if kind is TargetKind.IPV6 else []
    wanted = [
        *(Control(_test_part(test), Expect.LISTED) for test in listed),
        *(Control(_test_part(test), Expect.ABSENT) for test in absent),
        *(Control(part, Expect.ABSENT_CANARY) for part in [*far, *nets]),
    ]
    return tuple(dict.fromkeys(wanted))


def canaries(blocklist: Blocklist, kind: TargetKind, chance: bytes, count: int) -> list[str]:
    """Names nobody can have listed, half of them near the test entries and half as far from them as can be."""
    digests = [hashlib.sha256(chance + bytes([number])).digest() for number in range(count)]
    if kind is TargetKind.IPV4:
        return [reversed_address(_canary4(digest, near=number % 2 == 0)) for number, digest in enumerate(digests)]
    if kind is TargetKind.IPV6:
        return [reversed_address(_canary6(digest, near=number % 2 == 0)) for number, digest in enumerate(digests)]
    # A letter first, so that no name looks like an address; RFC 6761 reserves .invalid, and nobody registers the other.
    names = [f"c{digest.hex()[:22]}.{('invalid', 'com')[number % 2]}" for number, digest in enumerate(digests)]
    forms = [form for form in blocklist.asks if form in _HASHES]
    if kind is TargetKind.DOMAIN or not forms:
        return names
    return [_HASHES[forms[0]](WebAddress(name, None, "/" + name, "", "")) for name in names]


def judge(readings: Iterable[tuple[Control, Reading]]) -> Health:
    """May the list be believed, by what all of its controls answered?"""
    readings = tuple(readings)
    positive = [reading for control, reading in readings if control.expect is Expect.LISTED]
    others = [(control, reading) for control, reading in readings if control.expect is not Expect.LISTED]
    proven = any(reading.kind is ListAnswerKind.LISTED or reading.praised for reading in positive)
    faults = [reading for _, reading in others] + ([] if proven else positive)
    for why in (WhyNot.REFUSED, WhyNot.NEEDS_KEY, WhyNot.REWRITTEN):
        for reading in faults:
            if reading.why_not is why:
                return Health(False, why, reading.meaning)
    for control, reading in others:
        if reading.kind is ListAnswerKind.LISTED or reading.praised:
            return Health(False, WhyNot.CANARY_FAILED, _lists_too_much(control, reading))
    if all(reading.why_not is WhyNot.TIMEOUT for _, reading in readings):
        return Health(False, WhyNot.TIMEOUT, readings[0][1].meaning)
    for reading in faults:
        if reading.why_not is not None:
            return Health(False, reading.why_not, f"a control could not be asked: {reading.meaning}")
    if positive and not proven:
        return Health(
            False, WhyNot.CANARY_FAILED, "its test entry is not there: the list is dead, or hides from the resolver"
        )
    return FIT


def lists_what_it_must_not(readings: Iterable[tuple[Control, Reading]]) -> bool:
    """Whether there are codes where there must be none: the list's own, or those of a resolver that rewrites."""
    return any(reading.codes for control, reading in readings if control.expect is not Expect.LISTED)


class HealthBook:
    """The verdicts still remembered, by list and kind of target, and what was last found of the resolver."""

    __slots__ = ("_known", "resolver_fault")

    def __init__(self) -> None:
        self.resolver_fault: str | None = None
        """What was last found wrong with the resolver, in one line with the cure; None where nothing was."""
        self._known: dict[tuple[str, TargetKind], tuple[datetime, Health]] = {}

    def get(self, list_id: str, kind: TargetKind, now: datetime) -> Health | None:
        """The verdict, None where there is none or it is too old."""
        until, health = self._known.get((list_id, kind), (now, FIT))
        return health if until > now else None

    def put(self, list_id: str, kind: TargetKind, health: Health, now: datetime) -> None:
        """Remembers a verdict: half an hour where fit, ten minutes where not."""
        self._known[list_id, kind] = now + (FIT_FOR if health.fit else UNFIT_FOR), health


def _lists_too_much(control: Control, reading: Reading) -> str:
    what = (
        "an address or name drawn at random" if control.expect is Expect.ABSENT_CANARY else "what must never be listed"
    )
    return f"it lists {what} ({', '.join(reading.codes)}): it answers everything"


def _is_for(test: str, kind: TargetKind) -> bool:
    if kind is TargetKind.IPV4:
        return _is_address(test) and ":" not in test
    return kind is not TargetKind.IPV6 or _is_address(test)


def _is_address(text: str) -> bool:
    return ":" in text or text.replace(".", "").isdigit()


def _test_part(test: str) -> str:
    return reversed_address(ip_address(test)) if _is_address(test) else test


def _canary4(digest: bytes, near: bool) -> IPv4Address:
    """127.128.0.0/9, which holds no test entries, or 240.0.0.0/4, from which nobody can send (RFC 6890)."""
    first, second = (127, 128 | digest[0]) if near else (240 | digest[0] & 7, digest[1])
    return IPv4Address(bytes([first, second, digest[2], digest[3]]))


def _canary6(digest: bytes, near: bool) -> IPv6Address:
    """The same in ::FFFF:0:0/96, or 100::/64, whose packets are dropped (RFC 6666)."""
    if near:
        return IPv6Address(bytes(10) + b"\xff\xff" + _canary4(digest, near=True).packed)
    return IPv6Address(b"\x01\x00" + bytes(6) + digest[:8])
