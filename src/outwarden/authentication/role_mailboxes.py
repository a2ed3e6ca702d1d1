"""abuse@ and postmaster@: does anybody take the mail in which others complain (RFC 2142)?"""

from collections.abc import Callable
from typing import NamedTuple

from outwarden.authentication.report import Check, failed, passed, unknown

ROLES = ("abuse", "postmaster")


class Probe(NamedTuple):
    """What a mail exchanger said to RCPT: True accepted, False refused for good, None neither; and its words."""

    accepted: bool | None
    reply: str


MailboxProbe = Callable[[str, str], Probe]
"""From a mail exchanger and a mailbox to what it says of the mailbox."""


def check_role_mailboxes(domain: str, exchangers: tuple[str, ...], probe: MailboxProbe | None) -> list[Check]:
    """Check both mailboxes of ``domain`` at its best mail exchanger, where ``probe`` is given."""
    if probe is None or not exchangers:
        why = "not asked for: --probe-mailboxes" if exchangers else "no mail exchanger is known"
        return [unknown("role-mailboxes", f"abuse@{domain} and postmaster@{domain}: {why}")]
    return [_check(f"{role}@{domain}", probe(exchangers[0], f"{role}@{domain}")) for role in ROLES]


def _check(mailbox: str, said: Probe) -> Check:
    text = f"{mailbox}: {said.reply}"
    if said.accepted is None:
        return unknown("role-mailboxes", text)
    return passed("role-mailboxes", text) if said.accepted else failed("role-mailboxes", text)
