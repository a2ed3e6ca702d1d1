"""The responses that a playbook may ask for: what each is about, whether it lasts, and whether it exists today.

A playbook asks and never acts: a request is a line in its case until the service has carried it out and said so.  One
that does not exist yet is asked for all the same, and a person does it and says so.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from outwarden.cases.subscriber import ContactRole, Subject, SubjectKind


class ResponseName(StrEnum):
    """What may be asked for."""

    HOLD_ACCOUNT = "hold-account"
    BLOCK_ACCOUNT = "block-account"
    UNBLOCK_ACCOUNT = "unblock-account"
    RESET_PASSWORD = "reset-password"  # noqa: S105 (a name)
    LOCK_ACCOUNT = "lock-account"
    UNLOCK_ACCOUNT = "unlock-account"
    END_SERVICE = "end-service"
    END_SESSIONS = "end-sessions"
    REVOKE_APP_PASSWORDS = "revoke-app-passwords"
    DISABLE_RULES = "disable-rules"
    BLOCK_SCRIPT = "block-script"
    QUEUE_HOLD = "queue-hold"
    QUEUE_RELEASE = "queue-release"
    QUEUE_DELETE = "queue-delete"
    PAUSE_DESTINATION = "pause-destination"
    PAUSE_SERVER = "pause-server"
    REFUSE_FORGED_BOUNCES = "refuse-forged-bounces"
    NOTIFY_OWNER = "notify-owner"
    NOTIFY_TECHNICAL_CONTACT = "notify-technical-contact"
    NOTIFY_MANAGER = "notify-manager"
    CALL_PERSON = "call-person"
    ASK_DELISTING = "ask-delisting"
    SEND_TAKEDOWN = "send-takedown"


class Response(msgspec.Struct, frozen=True):
    """One response that may be asked for.

    It is asked once for each of the case's subjects of kind ``about``; where that is None, once.  ``reaches`` is the
    contact without whom it cannot be asked.  ``lasts``: it stays until it expires or is undone, so whoever asks says
    until when.  ``contains``: after it, no more of it should leave.  ``shuts_out``: the owner can do nothing alone.
    ``exists``: the service can do it today, where it is set up for it.
    """

    name: ResponseName
    words: str
    about: SubjectKind | None = SubjectKind.ACCOUNT
    reaches: ContactRole | None = None
    lasts: bool = False
    contains: bool = False
    shuts_out: bool = False
    exists: bool = False
    undo: ResponseName | None = None


_N = ResponseName
_EVERY = (
    Response(_N.HOLD_ACCOUNT, "hold what the account hands in", lasts=True, contains=True, exists=True,
             undo=_N.UNBLOCK_ACCOUNT),
    Response(_N.BLOCK_ACCOUNT, "refuse what the account hands in", lasts=True, contains=True, exists=True,
             undo=_N.UNBLOCK_ACCOUNT),
    Response(_N.UNBLOCK_ACCOUNT, "give the account back", exists=True),
    Response(_N.RESET_PASSWORD, "set a password that nobody knows; its owner chooses a new one", contains=True,
             exists=True),
    Response(_N.LOCK_ACCOUNT, "lock the account against every login", lasts=True, contains=True, shuts_out=True,
             exists=True, undo=_N.UNLOCK_ACCOUNT),
    Response(_N.UNLOCK_ACCOUNT, "let the account log in again", exists=True),
    Response(_N.END_SERVICE, "end the service for the account", lasts=True, shuts_out=True, exists=True,
             undo=_N.UNLOCK_ACCOUNT),
    Response(_N.END_SESSIONS, "end open sessions: IMAP, POP3, webmail", contains=True, exists=True),
    Response(_N.REVOKE_APP_PASSWORDS, "revoke app passwords and tokens", contains=True, exists=True),
    Response(_N.DISABLE_RULES, "disable forwards and sieve rules changed since the theft", lasts=True, exists=True),
    Response(_N.BLOCK_SCRIPT, "let the script or form send nothing", SubjectKind.SCRIPT, lasts=True, contains=True),
    Response(_N.QUEUE_HOLD, "hold what the account has queued", exists=True, undo=_N.QUEUE_RELEASE),
    Response(_N.QUEUE_RELEASE, "let what is held of the account leave", exists=True),
    Response(_N.QUEUE_DELETE, "delete what the account has queued, after archiving it", exists=True),
    Response(_N.PAUSE_DESTINATION, "send nothing to the destination", SubjectKind.DESTINATION, lasts=True, exists=True),
    Response(_N.PAUSE_SERVER, "send nothing at all", None, lasts=True, exists=True),
    Response(_N.REFUSE_FORGED_BOUNCES, "refuse bounces that lack our mark", None, lasts=True),
    Response(_N.NOTIFY_OWNER, "tell the owner what happened and what to do", None, ContactRole.OWNER, exists=True),
    Response(_N.NOTIFY_TECHNICAL_CONTACT, "tell the technical contact", None, ContactRole.TECHNICAL, exists=True),
    Response(_N.NOTIFY_MANAGER, "tell the manager", None, ContactRole.MANAGER, exists=True),
    Response(_N.CALL_PERSON, "call a person of the desk", None, exists=True),
    Response(_N.ASK_DELISTING, "ask the list to take the address off", SubjectKind.OWN_ADDRESS),
    Response(_N.SEND_TAKEDOWN, "report to who answers for the address", SubjectKind.REPORTED_ADDRESS),
)  # fmt: skip
RESPONSES = {one.name: one for one in _EVERY}
"""Every response, by its name."""


class Answer(StrEnum):
    """What became of a request; *waiting* until somebody says."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    DECLINED = "declined"
    UNDONE = "undone"


class ResponseRequest(msgspec.Struct, frozen=True):
    """One response that a case asks for: carried out, or refused, by whoever may act.

    ``id`` says case, playbook state, visit, response and subject, so that the same request is never another one.
    ``because`` is the id of what led to it.  ``expires_at`` is None for what is over once done, and for what lasts
    until a person ends it.  ``confirm``: a person has to say yes first, by the policy of the subscriber's group.
    """

    id: str
    case: str
    response: ResponseName
    subject: Subject | None
    parameters: dict[str, str]
    reason: str
    because: str
    asked_at: datetime
    expires_at: datetime | None
    confirm: bool = False
