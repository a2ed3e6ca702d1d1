"""The common vocabulary: what happened, what a remote answered, and what we make of it.

Every room may import this one; it imports none of them.  Everything here is a frozen
record or a closed set of words, so that an event can be stored, replayed and compared.
"""

from outwarden.events.decisions import AccountCause, Action, Decision
from outwarden.events.findings import Finding, Standing, Stream, Verdict
from outwarden.events.happenings import (
    AccountKind,
    Attempted,
    BounceReturned,
    ComplaintReceived,
    Event,
    Link,
    LinkKind,
    Login,
    Outcome,
    QueuedMessage,
    Submitted,
    decode_event,
    encode_event,
    event_id,
)
from outwarden.events.listings import Cause, Diagnosis, ListAnswer, ListAnswerKind, ListScope, Signal, WhyNot
from outwarden.events.mailboxes import NULL_SENDER, Domain, Mailbox, domain_of, mailbox
from outwarden.events.refusals import Refusal, RefusalClass

__all__ = [
    "NULL_SENDER",
    "AccountCause",
    "AccountKind",
    "Action",
    "Attempted",
    "BounceReturned",
    "Cause",
    "ComplaintReceived",
    "Decision",
    "Diagnosis",
    "Domain",
    "Event",
    "Finding",
    "Link",
    "LinkKind",
    "ListAnswer",
    "ListAnswerKind",
    "ListScope",
    "Login",
    "Mailbox",
    "Outcome",
    "QueuedMessage",
    "Refusal",
    "RefusalClass",
    "Signal",
    "Standing",
    "Stream",
    "Submitted",
    "Verdict",
    "WhyNot",
    "decode_event",
    "domain_of",
    "encode_event",
    "event_id",
    "mailbox",
]
