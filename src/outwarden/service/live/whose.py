"""Whose message it is that is handed in at the gate: the same account that the log will name."""

from __future__ import annotations

from typing import NamedTuple

from outwarden.detection.client_networks import is_own
from outwarden.events import NULL_SENDER, AccountKind, mailbox
from outwarden.filter import Envelope


class Whose(NamedTuple):
    """An account of ours, and how we know."""

    account: str
    kind: AccountKind


def whose(envelope: Envelope) -> Whose | None:
    """Return the account that hands it in; None for a stranger's message, which comes in and is not ours to judge.

    An account is a login, a local program, or an application server on loopback or a private network; the
    latter two are called after their envelope sender.  Our own notifications have no account.
    """
    if envelope.login:
        return Whose(mailbox(envelope.login), AccountKind.LOGIN)
    if envelope.sender in ("", NULL_SENDER) or not is_own(envelope.client_address or None):
        return None
    kind = AccountKind.ADDRESS if envelope.client_address else AccountKind.LOCAL
    return Whose(mailbox(envelope.sender), kind)
