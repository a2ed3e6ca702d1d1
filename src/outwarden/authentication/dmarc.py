"""DMARC records, and whose record holds for a domain (RFC 9989).

Records written for RFC 7489 are understood: what RFC 9989 removed (``pct``, ``rf``, ``ri``, sizes in report
addresses) is named, and otherwise ignored as receivers ignore it.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.tag_lists import MalformedTags, parse_tags

POLICIES = ("none", "quarantine", "reject")
REMOVED_TAGS = ("pct", "rf", "ri")
"""Tags of RFC 7489 that RFC 9989 appendix A.6 lists as removed."""
MOST_QUERIES = 8
"""Names that one tree walk may ask for (RFC 9989 section 4.10)."""

_VERSION = re.compile(r"v[ \t]*+=[ \t]*+DMARC1[ \t]*+(?:;|\Z)")
_SIZE = re.compile(r"![0-9]++[kmgt]?\Z", re.IGNORECASE)
_ALLOWED = {
    "p": POLICIES,
    "sp": POLICIES,
    "np": POLICIES,
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "psd": ("y", "n", "u"),
    "t": ("y", "n"),
}


class MalformedDmarc(ValueError):
    """Receivers act as if the record were not there."""


class ReportAddress(NamedTuple):
    """Where reports go: the URI as written, and the mailbox of a ``mailto:``."""

    uri: str
    mailbox: str
    sized: bool = False
    """It ends in a largest size, which RFC 9990 removed."""

    @property
    def domain(self) -> str:
        """The domain of the mailbox."""
        return self.mailbox.rpartition("@")[2].lower().removesuffix(".")


class DmarcRecord(NamedTuple):
    """One record.  ``tags`` are all as written; ``ignored`` names what receivers will not understand."""

    tags: dict[str, str]
    policy: str
    reports: tuple[ReportAddress, ...] = ()
    failure_reports: tuple[ReportAddress, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def removed(self) -> tuple[str, ...]:
        """The tags that RFC 9989 removed."""
        return tuple(tag for tag in REMOVED_TAGS if tag in self.tags)

    @property
    def psd(self) -> str:
        """``y``: a public suffix; ``n``: an organisational domain; ``u``: the tree walk finds out."""
        return self.tags.get("psd", "u").lower()

    @property
    def testing(self) -> bool:
        """Whether receivers are asked to apply the policy one step milder."""
        return self.tags.get("t", "n").lower() == "y"

    def strict(self, tag: str) -> bool:
        """Return whether ``adkim`` or ``aspf`` asks for the very domain of From:."""
        return self.tags.get(tag, "r").lower() == "s"

    def policy_for(self, kind: str) -> str:
        """Return the policy as it applies: ``kind`` is "domain", "subdomain" or "nonexistent" (section 4.7)."""
        chain = {"domain": (), "subdomain": ("sp",), "nonexistent": ("np", "sp")}[kind]
        named = (self.tags.get(tag, "").lower() for tag in chain)
        policy = next((value for value in named if value in POLICIES), self.policy)
        return POLICIES[max(POLICIES.index(policy) - 1, 0)] if self.testing else policy


def is_dmarc(text: str) -> bool:
    """Return whether a TXT record calls itself DMARC: version first, in capitals (RFC 9989 section 4.7)."""
    return _VERSION.match(text) is not None


def parse_dmarc(text: str) -> DmarcRecord:
    """Return what a record says.  Raises MalformedDmarc."""
    if not is_dmarc(text):
        raise MalformedDmarc('does not begin with "v=DMARC1;"')
    try:
        tags = {name.lower(): value for name, value in parse_tags(text).items()}
    except MalformedTags as fault:
        raise MalformedDmarc(str(fault)) from None
    ignored = [
        f"{tag}={tags[tag]}" for tag, values in _ALLOWED.items() if tag in tags and tags[tag].lower() not in values
    ]
    reports, wrong = _addresses(tags.get("rua", ""))
    failure_reports, wrong_failures = _addresses(tags.get("ruf", ""))
    policy = tags.get("p", "").lower()
    if policy not in POLICIES:
        # RFC 9989 section 4.7: without a policy that can be read, a record that asks for reports means "none".
        if not reports:
            raise MalformedDmarc('has neither a policy "p=" nor an address for reports "rua="')
        policy = "none"
    return DmarcRecord(tags, policy, reports, failure_reports, (*ignored, *wrong, *wrong_failures))


def _addresses(value: str) -> tuple[tuple[ReportAddress, ...], list[str]]:
    found, wrong = [], []
    for uri in filter(None, (piece.strip() for piece in value.split(","))):
        scheme, _, rest = uri.partition(":")
        mailbox = unquote(_SIZE.sub("", rest.partition("?")[0]))
        if scheme.lower() == "mailto" and 0 < mailbox.find("@") < len(mailbox) - 1:
            found.append(ReportAddress(uri, mailbox, bool(_SIZE.search(rest))))
        else:
            wrong.append(uri)
    return tuple(found), wrong


class Published(NamedTuple):
    """What stands at ``_dmarc.`` of one domain; ``fault`` says why it does not count."""

    domain: str
    record: DmarcRecord | None = None
    text: str | None = None
    fault: str | None = None
    could_not_ask: str | None = None


class Discovery(NamedTuple):
    """The records found by a tree walk from ``domain``, longest name first, and what they mean.

    ``record`` is the one that holds for ``domain``; ``organisational`` is the domain that alignment is
    measured by, ``domain`` itself where nothing was found.  ``could_not_ask`` is set where a name on the way
    could not be asked for: then nothing is certain.
    """

    domain: str
    own: Published
    found: tuple[Published, ...]
    holding: Published | None
    organisational: str
    could_not_ask: str | None = None


def ask_dmarc(domain: str, records: RecordSource) -> Published:
    """Return what stands at ``_dmarc.`` of ``domain``; several records count as none (section 4.10.1)."""
    answer = records.ask(f"_dmarc.{domain}", RecordType.TXT)
    if answer.failure is not None:
        return Published(domain, could_not_ask=f"_dmarc.{domain}: {answer.failure}")
    texts = [text for text in answer.values if is_dmarc(text)]
    if len(texts) > 1:
        return Published(domain, fault=f"has {len(texts)} DMARC records; receivers then use none")
    if not texts:
        almost = next((text for text in answer.values if "dmarc1" in text.lower()), None)
        return Published(domain, text=almost, fault=almost and 'does not begin with "v=DMARC1;"')
    try:
        return Published(domain, parse_dmarc(texts[0]), texts[0])
    except MalformedDmarc as fault:
        return Published(domain, text=texts[0], fault=str(fault))


def discover(domain: str, records: RecordSource) -> Discovery:
    """Walk the tree from ``domain`` up (RFC 9989 section 4.10)."""
    walked = []
    for name in walk(domain):
        walked.append(ask_dmarc(name, records))
        if walked[-1].record is not None and walked[-1].record.psd in {"y", "n"}:
            break  # Section 4.10, step 2 and step 7: the walk ends where the record says what it is.
    found = tuple(published for published in walked if published.record is not None)
    organisational = _organisational(domain, found)
    by_name = {published.domain: published for published in found}
    holding = by_name.get(domain) or by_name.get(organisational) or _public_suffix(found)
    doubt = next((published.could_not_ask for published in walked if published.could_not_ask), None)
    return Discovery(domain, walked[0], found, holding, organisational, doubt)


def walk(domain: str) -> list[str]:
    """Return the names that a walk asks for, at most eight: the domain, then from seven labels up."""
    labels = domain.split(".")
    # RFC 9989 section 4.10 step 4: of more than eight labels, all but seven are taken off at once.
    start = len(labels) - (MOST_QUERIES - 1) if len(labels) > MOST_QUERIES else 1
    return [domain, *(".".join(labels[at:]) for at in range(start, len(labels)))]


def _organisational(domain: str, found: tuple[Published, ...]) -> str:
    """RFC 9989 section 4.10.2; the records come longest name first."""
    for published in found:
        if published.record is not None and published.record.psd == "n":
            return published.domain
        if published.record is not None and published.record.psd == "y" and published.domain != domain:
            labels = published.domain.count(".") + 2  # One label more than the public suffix.
            return ".".join(domain.split(".")[-labels:])
    return found[-1].domain if found else domain


def _public_suffix(found: tuple[Published, ...]) -> Published | None:
    return next((published for published in found if published.record and published.record.psd == "y"), None)


def is_aligned(identifier: str, author: str, strict: bool, records: RecordSource) -> bool | None:
    """Return whether an authenticated domain speaks for the domain of From:; None where it could not be asked."""
    if identifier == author:
        return True
    if strict:
        return False
    ours, theirs = discover(author, records), discover(identifier, records)
    if ours.could_not_ask or theirs.could_not_ask:
        return None
    return ours.organisational == theirs.organisational


def report_consent_name(domain: str, receiver: str) -> str:
    """Return where ``receiver`` agrees to take reports about ``domain`` (RFC 9990, "_report._dmarc")."""
    return f"{domain}._report._dmarc.{receiver}"
