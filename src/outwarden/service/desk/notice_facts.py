"""What a notice about a case says: its kind, and the facts, out of the case alone."""

from __future__ import annotations

from datetime import datetime

from outwarden.cases.case import Case
from outwarden.cases.happening import happening_id
from outwarden.cases.response_requests import Answer, ResponseName, ResponseRequest
from outwarden.cases.subscriber import SubjectKind
from outwarden.cases.troubles import Trouble
from outwarden.responses.notices.facts import Done, Facts, Language, NoticeKind
from outwarden.store.owner_notices import OwnerNotice

_KINDS = {
    Trouble.STOLEN_ACCOUNT.value: NoticeKind.STOLEN_ACCOUNT,
    Trouble.INFECTED_MACHINE.value: NoticeKind.INFECTED_MACHINE,
    Trouble.HACKED_SITE.value: NoticeKind.HACKED_SITE,
    # Whoever has the newsletter's login has its password.
    Trouble.HIJACKED_BULK_SENDER.value: NoticeKind.STOLEN_ACCOUNT,
    Trouble.HIGH_COMPLAINT_RATIO.value: NoticeKind.SPAM_CONTENT,
    Trouble.ROGUE_DEPARTMENT.value: NoticeKind.BULK_TO_CONFIRM,
    Trouble.INVENTED_RECIPIENTS.value: NoticeKind.SPAM_CONTENT,
    "mistaken": NoticeKind.GIVEN_BACK,
}
_DONE = {
    ResponseName.BLOCK_ACCOUNT: Done.SENDING_REFUSED,
    ResponseName.HOLD_ACCOUNT: Done.MAIL_HELD,
    ResponseName.QUEUE_HOLD: Done.MAIL_HELD,
    ResponseName.QUEUE_DELETE: Done.MAIL_DELETED,
    ResponseName.RESET_PASSWORD: Done.PASSWORD_CHANGED,
    ResponseName.LOCK_ACCOUNT: Done.PASSWORD_LOCKED,
    ResponseName.END_SESSIONS: Done.SESSIONS_ENDED,
    ResponseName.REVOKE_APP_PASSWORDS: Done.APP_PASSWORDS_REVOKED,
    ResponseName.DISABLE_RULES: Done.RULES_SWITCHED_OFF,
    ResponseName.BLOCK_SCRIPT: Done.SENDING_REFUSED,
}


def kind_of(request: ResponseRequest, case: Case) -> NoticeKind:
    """Return the kind of a notice: what the playbook names as ``notice``, or what the trouble of the case is."""
    named = request.parameters.get("notice", case.trouble.value)
    kind = _KINDS.get(named) or (NoticeKind(named) if named in list(NoticeKind) else NoticeKind.SPAM_CONTENT)
    if kind is NoticeKind.INFECTED_MACHINE and not case.named(SubjectKind.CLIENT_ADDRESS):
        # Without the address of the machine nobody could find it.
        return NoticeKind.STOLEN_ACCOUNT
    return kind


def language_of(request: ResponseRequest) -> Language:
    """Return the language of the subscriber, English where there are no texts in it."""
    language = request.parameters.get("language", "en").partition("-")[0].lower()
    return Language(language) if language in list(Language) else Language.ENGLISH


def account_of(case: Case) -> str:
    """Return the account that a notice is about."""
    accounts = case.named(SubjectKind.ACCOUNT)
    return accounts[0] if accounts else case.subscriber


def facts_of(case: Case, kind: NoticeKind, link: str) -> Facts:
    """Return the facts of a notice."""
    given_back = kind is NoticeKind.GIVEN_BACK
    addresses, scripts = case.named(SubjectKind.CLIENT_ADDRESS), case.named(SubjectKind.SCRIPT)
    return Facts(
        account=account_of(case),
        happened_at=_happened_at(case),
        reference=case.id,
        done=() if given_back else _done(case),
        client_address="" if given_back or not addresses else addresses[0],
        place="" if given_back or not scripts else scripts[0],
        link=link,
    )


def _happened_at(case: Case) -> datetime:
    return min(case.opened_at, case.last_evidence_at or case.opened_at)


def _done(case: Case) -> tuple[Done, ...]:
    done = [_DONE[one.response] for one in case.asked if one.answer is Answer.DONE and one.response in _DONE]
    return tuple(dict.fromkeys(done))


def message_id_of(notice: OwnerNotice) -> str:
    """Return the part left of the @ of a notice's Message-ID: always the same, and no other notice's."""
    return f"notice-{happening_id('message', notice.id, notice.request, notice.begun_at.isoformat())}"
