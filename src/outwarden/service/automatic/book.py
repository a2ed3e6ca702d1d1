"""How accounts are treated at this moment: the journal's part that is in force, asked about or observed, in memory.

Whoever writes the journal puts it here once it is on the disk; whoever asks waits for nobody.  Each change replaces one
entry of a dict, so another thread may read meanwhile.  A login is one account, whether written in capitals or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from outwarden.events import Decision
from outwarden.service.automatic import words
from outwarden.service.automatic.in_force import InForce, reference
from outwarden.store.responses import OF_ACCOUNTS, OVER, WAITING, Response, ResponseKind, ResponseState
from outwarden.store.store import Store

MOST_RECENT = 1_000
OF = "of"
"""In the ``undo`` of a change of the queue: the response about the account that it follows from."""
HELD_BEFORE = "held_before"
"""In an ``undo``: what somebody else had put on hold, which is not ours to release."""

_UNFINISHED = frozenset({ResponseState.INTENDED, ResponseState.FAILED})
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Book:
    """What stands about accounts.  Made by ``load``."""

    def __init__(self) -> None:
        self._standing: dict[tuple[ResponseKind, str], Response] = {}
        self._in_force: dict[str, InForce] = {}
        self._recent: dict[int, Response] = {}
        self._unfinished: dict[int, Response] = {}
        self._on_hold: Mapping[str, Sequence[str]] = {}

    @classmethod
    def load(cls, store: Store) -> Book:
        """Return what the journal says.  Raises ``StoreUnusable``."""
        book = cls()
        for response in reversed(store.responses.of_accounts(_EVER, MOST_RECENT)):
            book.put(response)
        for response in store.responses.accounts_standing():
            book._stands(response)
        for response in store.responses.unfinished():
            book.put(response)
        return book

    # -- what the gate and people ask

    def in_force(self, account: str) -> InForce | None:
        """Return how an account is treated, None where it is like any other."""
        return self._in_force.get(account.lower())

    def held(self) -> list[InForce]:
        """Return the accounts whose mail is held."""
        return [each for each in list(self._in_force.values()) if each.kind is ResponseKind.HOLD_ACCOUNT]

    def blocked(self) -> list[InForce]:
        """Return the accounts that may hand nothing in."""
        return [each for each in list(self._in_force.values()) if each.kind is ResponseKind.BLOCK_ACCOUNT]

    def standing(self, kind: ResponseKind, account: str) -> Response | None:
        """Return what stands of a kind about an account: in force, waiting for a person, or only observed."""
        return self._standing.get((kind, account.lower()))

    def about(self, account: str) -> list[Response]:
        """Return everything that stands about an account."""
        return [each for kind in OF_ACCOUNTS if (each := self.standing(kind, account)) is not None]

    def all_standing(self) -> list[Response]:
        """Return everything that stands, oldest first."""
        return sorted(list(self._standing.values()), key=lambda response: response.id)

    def waiting(self) -> list[Response]:
        """Return what waits for a person, oldest first."""
        return [each for each in self.all_standing() if each.state in WAITING]

    def recent(self, since: datetime) -> list[Response]:
        """Return what began, changed or ended since then, newest first, a thousand at most."""
        return [each for each in reversed(list(self._recent.values())) if each.stands_since >= since]

    def by_number(self, number: int) -> Response | None:
        """Return what stands or stood lately under a number."""
        recent = self._recent.get(number)
        if recent is not None:
            return recent
        return next((each for each in list(self._standing.values()) if each.id == number), None)

    # -- what follows in the queue

    def unfinished(self) -> list[Response]:
        """Return what is still to be done in the queue, oldest first."""
        return sorted(list(self._unfinished.values()), key=lambda response: response.id)

    def to_release(self, account: str) -> Response | None:
        """Return what says that all held mail of an account is to leave, None where nothing does."""
        return next((each for each in self.unfinished() if is_release_of_all(each, account)), None)

    def held_already(self, account: str) -> Sequence[str]:
        """Return what others had put on hold of an account when the queue was last looked at."""
        return self._on_hold.get(account.lower(), ())

    def looked(self, on_hold: Mapping[str, Sequence[str]]) -> None:
        """Note what is on hold of each account (in lower case) and not by us."""
        self._on_hold = on_hold

    # -- writing

    def put(self, response: Response) -> None:
        """Note how a response stands, once that is on the disk."""
        if response.kind in OF_ACCOUNTS:
            self._stands(response)
            self._recent.pop(response.id, None)
            self._recent[response.id] = response
            while len(self._recent) > MOST_RECENT:
                del self._recent[next(iter(self._recent))]
        elif response.state in _UNFINISHED and OF in response.undo:
            self._unfinished[response.id] = response
        else:
            self._unfinished.pop(response.id, None)

    def _stands(self, response: Response) -> None:
        account = response.subject.lower()
        key = (response.kind, account)
        if response.state not in OVER:
            self._standing[key] = response
        elif key in self._standing and self._standing[key].id == response.id:
            del self._standing[key]
        done = [each for each in self.about(account) if each.state is ResponseState.DONE]
        if done:
            # A block is more than a hold, and comes last in ``OF_ACCOUNTS``.
            self._in_force[account] = _in_force(done[-1])
        else:
            self._in_force.pop(account, None)


def is_release_of_all(response: Response, account: str) -> bool:
    """Return whether a response is to let all held mail of an account leave, and no chosen messages."""
    of_account = response.subject.lower() == account.lower()
    return response.kind is ResponseKind.QUEUE_RELEASE and of_account and "queue_ids" not in response.undo


def decision_of(response: Response) -> Decision | None:
    """Return the decision that a response follows from, None where a person wanted it."""
    return msgspec.json.decode(response.evidence, type=Decision) if response.evidence else None


def _in_force(response: Response) -> InForce:
    decision = decision_of(response)
    return InForce(
        response.id,
        reference(response.id),
        response.kind,
        response.subject,
        response.intended_at,
        words.BY_A_PERSON if decision is None else words.why(decision),
    )
