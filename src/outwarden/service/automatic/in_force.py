"""One thing that is in force about an account, and the reference by which people speak of it."""

import re
from datetime import datetime
from typing import NamedTuple

from outwarden.store.responses import ResponseKind

_REFERENCE = re.compile(r"OW-([0-9]{1,15})", re.IGNORECASE)


class InForce(NamedTuple):
    """How our gate treats an account: when that was first written down (UTC), and why, in words for its owner.

    ``account`` is written as it was when this began; ``response`` is its number in the journal.
    """

    response: int
    reference: str
    kind: ResponseKind
    account: str
    since: datetime
    why: str


def reference(response: int) -> str:
    """Return how a response is called, by people and in refusals."""
    return f"OW-{response}"


def number_of(text: str) -> int | None:
    """Return the number that a reference stands for, None where it is none."""
    found = _REFERENCE.fullmatch(text.strip())
    return None if found is None else int(found[1])
