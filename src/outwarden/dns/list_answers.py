"""What a list's reply means: listed, not listed, or that it could not be asked.

A reply is believed only where it can be nothing else: an address inside 127.0.0.0/8 that is no error
code and no praise is a listing (RFC 5782 section 2.1); one bad address among several spoils all.  A name
that does not exist, or has no address, is not listed, as far as the list itself is believed, which
``list_health.py`` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from outwarden.dns.blocklist import Blocklist, Code, Tier, code_bit, code_octets
from outwarden.dns.questions import Failure, Reply
from outwarden.events import ListAnswerKind, ListScope, Signal, WhyNot

_NXDOMAIN = 3
_READINGS_KEPT = 4096
_LONGEST_TEXT = 500

Words = TypeVar("Words")


class Reading(NamedTuple):
    """One reply, read.  ``praised`` where it says good, or nothing bad, of what was asked."""

    kind: ListAnswerKind
    codes: tuple[str, ...] = ()
    meaning: str = ""
    scope: ListScope = ListScope.ADDRESS
    signals: tuple[Signal, ...] = ()
    why_not: WhyNot | None = None
    praised: bool = False


NOT_LISTED = Reading(ListAnswerKind.NOT_LISTED)


def could_not_ask(why_not: WhyNot, meaning: str, codes: tuple[str, ...] = ()) -> Reading:
    """A reading that says nothing about what was asked."""
    return Reading(ListAnswerKind.COULD_NOT_ASK, codes, meaning, why_not=why_not)


_FAILURES = {
    Failure.TIMEOUT: could_not_ask(WhyNot.TIMEOUT, "no answer in time"),
    Failure.BREAKER: could_not_ask(WhyNot.TIMEOUT, "no answer to the questions before, so this one was not asked"),
    Failure.UNREACHABLE: could_not_ask(WhyNot.TIMEOUT, "the resolver cannot be reached; name another with --resolver"),
    Failure.REFUSED: could_not_ask(WhyNot.REFUSED, "the question was refused; ask through a resolver of your own"),
    Failure.SERVFAIL: could_not_ask(WhyNot.TIMEOUT, "the resolver got no answer from the list's name servers"),
    Failure.ERROR: could_not_ask(WhyNot.REFUSED, "the question was answered with an error"),
    Failure.MALFORMED: could_not_ask(WhyNot.TIMEOUT, "what came back could not be read"),
    Failure.TRUNCATED: could_not_ask(WhyNot.TIMEOUT, "the answer was cut off, and TCP gave none"),
    Failure.NO_ROOM: could_not_ask(WhyNot.TIMEOUT, "too many questions were under way, so this one was not asked"),
    Failure.NAME: could_not_ask(WhyNot.REFUSED, "too long to be asked about"),
}
_UNKNOWN_FAILURE = could_not_ask(WhyNot.TIMEOUT, "no answer that can be believed")
_CONTRADICTION = could_not_ask(WhyNot.REWRITTEN, "answered with addresses for a name that does not exist")


class Patterns(NamedTuple):
    """Words by code: exact addresses, addresses by octets, single bits."""

    exact: Mapping[str, object]
    ranges: tuple[tuple[tuple[tuple[int, int], ...], object], ...]
    bits: Mapping[int, object]


class CodeBook:
    """The return codes of one list, and how its replies are read."""

    __slots__ = ("_blocklist", "_codes", "_errors", "_every", "_praise", "_readings")

    def __init__(self, blocklist: Blocklist, every_list_errors: Mapping[str, str]) -> None:
        self._blocklist = blocklist
        self._codes = _patterns(blocklist.codes)
        self._praise = _patterns(blocklist.praise)
        self._errors = _patterns(blocklist.errors)
        self._every = _patterns(every_list_errors)
        self._readings: dict[tuple[str, ...], Reading] = {}

    def read(self, reply: Reply) -> Reading:
        """What the reply to a question for addresses means."""
        if reply.failure is not None:
            return _failure(reply.failure)
        if reply.rcode is None:
            return _UNKNOWN_FAILURE
        if not reply.addresses:
            return NOT_LISTED if reply.rcode in (0, _NXDOMAIN) else _FAILURES[Failure.ERROR]
        if reply.rcode != 0:
            return _CONTRADICTION
        reading = self._readings.get(reply.addresses)
        if reading is None:
            reading = self._read(tuple(sorted(set(reply.addresses), key=_in_order)))
            if len(self._readings) < _READINGS_KEPT:
                self._readings[reply.addresses] = reading
        return reading

    def _read(self, addresses: tuple[str, ...]) -> Reading:
        outside = [address for address in addresses if not address.startswith("127.")]
        if outside:
            told = f"answered {outside[0]}, as no list does: the resolver rewrites answers, or the zone is parked"
            return could_not_ask(WhyNot.REWRITTEN, told, addresses)
        for address in addresses:
            error = self._error(address)
            if error is not None:
                return could_not_ask(WhyNot.REFUSED, f"{address}: {error}", addresses)
        accusations = [code for address in addresses for code in self._accusations(address)]
        praise = [words for address in addresses for words in _found(self._praise, address)]
        if accusations:
            return self._listed(addresses, accusations, [str(words) for words in praise])
        if len(praise) < len(addresses):
            return could_not_ask(WhyNot.REFUSED, "answered with a code that the list has not published", addresses)
        return Reading(
            ListAnswerKind.NOT_LISTED, addresses, _joined(map(str, praise)), self._blocklist.scope, praised=True
        )

    def _error(self, address: str) -> str | None:
        own = _found(self._errors, address)
        if own:
            return str(own[0])
        if _found(self._codes, address) or _found(self._praise, address):
            return None
        every = _found(self._every, address)
        return str(every[0]) if every else None

    def _accusations(self, address: str) -> list[Code]:
        codes = [code for code in _found(self._codes, address) if isinstance(code, Code)]
        if not codes and not self._blocklist.praise:
            # RFC 5782 section 2.1: any address in 127/8 lists.  What it accuses of is unknown, so it votes for nothing.
            return [Code(f"{address}: a code that the list has not published")]
        return codes

    def _listed(self, addresses: tuple[str, ...], codes: list[Code], praise: list[str]) -> Reading:
        signals = () if self._blocklist.tier is Tier.SILENT else tuple(dict.fromkeys(c.votes for c in codes if c.votes))
        scopes = {code.scope for code in codes}
        own = self._blocklist.scope
        scope = next(iter(scopes)) if len(scopes) == 1 else own
        meaning = _joined([code.means for code in codes] + praise)
        return Reading(ListAnswerKind.LISTED, addresses, meaning, scope or own, signals)


def readable_text(texts: tuple[str, ...], key: str | None) -> str | None:
    """A listing's TXT record in one line, bounded, and without the site's key should the list repeat it."""
    text = " ".join(" ".join(texts).split())
    if key:
        text = text.replace(key, "<key>").replace(key.lower(), "<key>").replace(key.upper(), "<key>")
    printable = "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_TEXT])
    return printable or None


def _failure(failure: str) -> Reading:
    try:
        return _FAILURES[Failure(failure)]
    except (ValueError, KeyError):
        return _UNKNOWN_FAILURE


def _patterns(words: Mapping[str, Words]) -> Patterns:
    exact: dict[str, object] = {}
    ranges: list[tuple[tuple[tuple[int, int], ...], object]] = []
    bits: dict[int, object] = {}
    for code, means in words.items():
        bit, octets = code_bit(code), code_octets(code)
        if bit is not None:
            bits[bit] = means
        elif octets is not None and any(low != high for low, high in octets):
            ranges.append((octets, means))
        else:
            exact[code] = means
    return Patterns(exact, tuple(ranges), bits)


def _found(patterns: Patterns, address: str) -> list[object]:
    """The words for an address: the exact ones, else those of its bits, else those of the first range."""
    if address in patterns.exact:
        return [patterns.exact[address]]
    octets = [int(octet) for octet in address.split(".")]
    if patterns.bits and octets[:3] == [127, 0, 0]:
        of_bits = [words for bit, words in patterns.bits.items() if octets[3] & bit]
        if of_bits:
            return of_bits
    for bounds, words in patterns.ranges:
        if all(low <= octet <= high for octet, (low, high) in zip(octets, bounds, strict=True)):
            return [words]
    return []


def _in_order(address: str) -> tuple[int, ...]:
    return tuple(int(octet) for octet in address.split("."))


def _joined(meanings: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(meanings))
