"""What an answer may be instead of what was asked for: in words, and of a kind that the asking side can go by."""

from enum import StrEnum


class FaultKind(StrEnum):
    """Whose fault it is, or who may cure it.

    *malformed*: the question.  *unknown-verb*: the service is older, or cannot do that.  *not-found*: what was named
    is not there.  *not-allowed*: the one who asked may not.  *service-may-not*: the service itself has not the right,
    but whoever asks may have it.  *could-not*: it was tried, and did not work.  *store*: nothing can be written down.
    *busy*: too many ask.  *failed*: a fault of ours.
    """

    MALFORMED = "malformed"
    UNKNOWN_VERB = "unknown-verb"
    NOT_FOUND = "not-found"
    NOT_ALLOWED = "not-allowed"
    SERVICE_MAY_NOT = "service-may-not"
    COULD_NOT = "could-not"
    STORE = "store"
    BUSY = "busy"
    FAILED = "failed"


class Fault(Exception):
    """Raised by an answer: the text is one line for the operator."""

    def __init__(self, kind: FaultKind, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
