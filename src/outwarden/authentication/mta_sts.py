"""MTA-STS: the record, and the policy behind it (RFC 8461).

The policy is text that somebody else fetched: ``policy_fetch`` does it, or a test.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.report import Check, failed, passed, txt_line, unknown, warned
from outwarden.authentication.tag_lists import MalformedTags, parse_tags

LONGEST_POLICY = 65_536
"""Octets of a policy that are read (RFC 8461 section 3.3 suggests 64 kilobytes)."""
LONGEST_AGE = 31_557_600  # Seconds of a year, RFC 8461 section 3.2.
ADVISED_AGE = 604_800
"""Seconds of a week: RFC 8461 section 10.2 wants weeks, not hours."""
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_MODES = ("enforce", "testing", "none")


class PolicyText(NamedTuple):
    """What was fetched: the policy, or why it could not be; ``refused`` where a sender would fail, too."""

    text: str = ""
    fault: str | None = None
    refused: bool = False


PolicyFetcher = Callable[[str], PolicyText]
"""From the name of a policy host to what its well-known page says."""


class MalformedPolicy(ValueError):
    """Senders treat it as no policy."""


class Policy(NamedTuple):
    """One policy."""

    mode: str
    hosts: tuple[str, ...]
    longest_age: int

    def names(self, host: str) -> bool:
        """Return whether mail may be delivered to ``host`` (RFC 8461 section 4.1)."""
        return any(host == name or (name[:2] == "*." and host.partition(".")[2] == name[2:]) for name in self.hosts)


def parse_policy(text: str) -> Policy:
    """Return what a policy says.  Raises MalformedPolicy (RFC 8461 section 3.2)."""
    if len(text) > LONGEST_POLICY:
        raise MalformedPolicy("is longer than 64 KB")
    pairs = [
        (key.strip(), value.strip())
        for key, colon, value in (line.partition(":") for line in text.splitlines())
        if colon
    ]
    fields = dict(reversed(pairs))  # Of a key that stands twice the first counts, but for "mx".
    if not pairs or pairs[0] != ("version", "STSv1"):
        raise MalformedPolicy('does not begin with "version: STSv1"')
    if fields.get("mode") not in _MODES:
        raise MalformedPolicy('has no "mode:" of enforce, testing or none')
    age = fields.get("max_age", "")
    if not re.fullmatch(r"[0-9]{1,10}", age) or int(age) > LONGEST_AGE:
        raise MalformedPolicy(f'has no "max_age:" of at most {LONGEST_AGE} seconds')
    hosts = tuple(value.lower().removesuffix(".") for key, value in pairs if key == "mx")
    if not hosts and fields["mode"] != "none":
        raise MalformedPolicy('names no mail exchanger, "mx:"')
    return Policy(fields["mode"], hosts, int(age))


def check_mta_sts(
    domain: str, exchangers: tuple[str, ...], records: RecordSource, fetch: PolicyFetcher | None
) -> list[Check]:
    """Check the record of ``domain``, and its policy against the mail exchangers where ``fetch`` is given."""
    name = f"_mta-sts.{domain}"
    answer = records.ask(name, RecordType.TXT)
    publish = txt_line(name, "v=STSv1; id=1")
    if answer.failure is not None:
        return [unknown("mta-sts", f"could not ask for {name}: {answer.failure}")]
    texts = [text for text in answer.values if text.startswith("v=STSv1")]
    if not texts:
        return [warned("mta-sts", f"there is no MTA-STS record; serve {policy_url(domain)} first", publish)]
    if len(texts) > 1:
        return [failed("mta-sts", f"{name} has {len(texts)} records; senders then use none", publish)]
    if fault := _record_fault(texts[0]):
        return [failed("mta-sts", f"the record of {name} {fault}", publish)]
    policy = [] if fetch is None else [_check_policy(domain, exchangers, fetch)]
    return [passed("mta-sts", texts[0]), *policy]


def _record_fault(text: str) -> str | None:
    try:
        tags = parse_tags(text)
    except MalformedTags as fault:
        return str(fault)
    if tags.get("v") != "STSv1":
        return 'does not begin with "v=STSv1;"'
    return None if _ID.fullmatch(tags.get("id", "")) else 'has no "id=" of 1 to 32 letters and digits'


def policy_host(domain: str) -> str:
    """Return the host that serves the policy of ``domain``."""
    return f"mta-sts.{domain}"


def policy_url(domain: str) -> str:
    """Return where the policy of ``domain`` is read (RFC 8461 section 3.3)."""
    return f"https://{policy_host(domain)}/.well-known/mta-sts.txt"


def advised_policy(exchangers: tuple[str, ...], mode: str) -> str:
    """Return the policy to serve."""
    hosts = "".join(f"mx: {host}\n" for host in exchangers)
    return f"version: STSv1\nmode: {mode}\n{hosts}max_age: {ADVISED_AGE}\n"


def _check_policy(domain: str, exchangers: tuple[str, ...], fetch: PolicyFetcher) -> Check:
    fetched = fetch(policy_host(domain))
    if fetched.fault is not None:
        say = failed if fetched.refused else unknown
        return say("mta-sts-policy", f"{policy_url(domain)}: {fetched.fault}")
    enforce = advised_policy(exchangers, "enforce")
    try:
        policy = parse_policy(fetched.text)
    except MalformedPolicy as fault:
        return failed("mta-sts-policy", f"the policy {fault}; serve this at {policy_url(domain)}", enforce)
    strangers = [host for host in exchangers if not policy.names(host)]
    if strangers and policy.mode != "none":
        text = f"the policy does not name {', '.join(strangers)}; serve this, and change the id of the record"
        return failed("mta-sts-policy", text, advised_policy(exchangers, policy.mode))
    if policy.mode != "enforce":
        return warned("mta-sts-policy", f"the mode is {policy.mode}; when reports are clean, serve this", enforce)
    return passed("mta-sts-policy", f"the policy is enforced for {', '.join(policy.hosts)}")
