"""What has probably happened to an accused account, in one sentence with its reasons.

Response and notice differ by cause: a new password does not clean an infected computer, and
neither closes a hole in a web site.
"""

from __future__ import annotations

from outwarden.detection.account_history import AccountHistory
from outwarden.detection.window import Window, span
from outwarden.events import AccountKind, Stream

_MUCH = 1.5


def cause_of(account: AccountHistory, window: Window, points: dict[Stream, float]) -> str:
    """Return the likely cause as one sentence."""
    if account.kind is AccountKind.LOGIN:
        return _of_login(window, points)
    if account.kind is AccountKind.LOCAL:
        return _of_local(account, points)
    return _of_address(account)


def _of_login(window: Window, points: dict[Stream, float]) -> str:
    fresh = window.new_networks if window.networks_before else window.new_networks - 1
    if fresh > 1:
        return f"stolen password: used from {fresh} networks new to this account within {span(window.hours)}"
    if fresh == 1:
        return "stolen password, most likely: used from a network new to this account"
    if points[Stream.REFUSED] < _MUCH <= points[Stream.UNKNOWN_RECIPIENTS]:
        return "old or bought address list: many recipients do not exist, from the account's usual network"
    return "infected computer of the account's owner, or a password used from there: no new network"


def _of_local(account: AccountHistory, points: dict[Stream, float]) -> str:
    program = account.script or account.account
    if points[Stream.REFUSED] < _MUCH and points[Stream.UNKNOWN_RECIPIENTS] < _MUCH:
        return f"local program or web form sends far more than before: {program}"
    return f"hijacked web site, script or form on this machine: {program}"


def _of_address(account: AccountHistory) -> str:
    address = min(account.addresses, default="")
    if not address:
        return f"open relay, or an infected machine that we trust: no login, client address {account.account}"
    return f"a machine that may send without a login does it: {address}"
