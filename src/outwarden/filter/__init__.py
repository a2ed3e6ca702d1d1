"""The gate: what the mail server asks while it takes a message in, and what we answer.

One folder for each way of asking; all of them describe the message as an ``Envelope`` with a ``Spool`` and end in
the same ``Decider``.  This room decides nothing and acts on nothing: it carries the question and the answer.
"""

from outwarden.filter.decider import Decider
from outwarden.filter.envelope import Envelope
from outwarden.filter.spool import Spool, SpoolSpace
from outwarden.filter.verdicts import Accept, AddHeader, ChangeHeader, Defer, Edit, Hold, Refuse, Verdict

__all__ = [
    "Accept",
    "AddHeader",
    "ChangeHeader",
    "Decider",
    "Defer",
    "Edit",
    "Envelope",
    "Hold",
    "Refuse",
    "Spool",
    "SpoolSpace",
    "Verdict",
]
