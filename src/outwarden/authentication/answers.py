"""What a DNS look-up for email authentication can answer, and who is asked for it.

There are three answers, never two: records, none, and "could not ask".  A check that could not ask
says so, and never reports a record as missing.
"""

from enum import StrEnum
from typing import NamedTuple, Protocol


class RecordType(StrEnum):
    """The record types that email authentication looks up."""

    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    NS = "NS"
    PTR = "PTR"
    SOA = "SOA"
    TLSA = "TLSA"
    TXT = "TXT"


class Answer(NamedTuple):
    """One answer.

    ``values`` hold one string per record: an address; a host name in lower case without its final
    dot; for MX the preference, a space and the host (``"10 mx.example"``, the null MX is ``"0 "``);
    the strings of one TXT record joined without a space, bytes beyond UTF-8 as surrogates; for
    TLSA ``"3 1 1 "`` and the association in hex.

    ``exists`` is false where the name itself does not exist (NXDOMAIN).  ``secure`` is the resolver's
    word that it validated the answer by DNSSEC.  ``failure`` names why nobody could be asked; the
    other fields then say nothing.
    """

    values: tuple[str, ...] = ()
    exists: bool = True
    secure: bool = False
    failure: str | None = None

    @property
    def void(self) -> bool:
        """Whether the question was answered, with nothing (RFC 7208 section 4.6.4)."""
        return not self.values and self.failure is None


class RecordSource(Protocol):
    """Whoever can look up records."""

    def ask(self, name: str, kind: RecordType) -> Answer:
        """Return what is known of ``name``, a domain name without final dot.  Never raises."""
        ...
