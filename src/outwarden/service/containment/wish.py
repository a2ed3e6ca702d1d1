"""What is wanted for an account, whoever wants it: a case, or a person at a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from outwarden.cases.response_requests import ResponseName
from outwarden.responses.accounts.connector import Deed

R = ResponseName
DEEDS: dict[ResponseName, tuple[Deed, ...]] = {
    R.RESET_PASSWORD: (Deed.SET_PASSWORD,),
    R.LOCK_ACCOUNT: (Deed.LOCK,),
    R.REVOKE_APP_PASSWORDS: (Deed.REVOKE_APP_PASSWORDS,),
    R.END_SERVICE: (Deed.LOCK, Deed.REVOKE_APP_PASSWORDS),
}
"""What each response does where passwords are kept."""
ENDS_SESSIONS = frozenset({R.END_SESSIONS, R.END_SERVICE})
CONTAINMENT = frozenset({*DEEDS, R.END_SESSIONS, R.DISABLE_RULES, R.UNLOCK_ACCOUNT})
"""The responses that are carried out here."""


class Wish(NamedTuple):
    """One response for one account; ``request`` names it, so that it is done once however often it is asked for.

    ``since`` (UTC) is when the theft began: what forwards or sorts mail since then may be the thief's.
    """

    request: str
    response: ResponseName
    account: str
    reason: str
    asked_by: str
    since: datetime
