"""What places raise, said in the words of the service: tried again later, or for a person to change something first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from outwarden.responses.accounts.connector import OperatorFault, TemporaryFault
from outwarden.service.acting import CouldNotAct, NotAllowed
from outwarden.store.sealing import SealBroken


@contextmanager
def faults_of_places() -> Iterator[None]:
    """Raise ``CouldNotAct`` for what passes, ``NotAllowed`` for what does not."""
    try:
        yield
    except TemporaryFault as fault:
        raise CouldNotAct(str(fault)) from fault
    except (OperatorFault, SealBroken) as fault:
        raise NotAllowed(str(fault)) from fault
