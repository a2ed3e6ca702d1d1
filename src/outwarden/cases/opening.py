"""Which finding, decision or listing opens or feeds which case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from outwarden.cases.case import Case, CaseState, case_id
from outwarden.cases.happening import Evidence, happening_id
from outwarden.cases.playbook import Playbook
from outwarden.cases.subscriber import Subject, SubjectKind, Subscriber, account_subject
from outwarden.cases.troubles import OF_THE_SITE, Trouble
from outwarden.detection.baseline.queue_findings import DESTINATION_GROWTH, QUEUE_AGE, QUEUE_GROWTH
from outwarden.events import AccountCause, Action, Cause, Decision, Finding, Standing, Stream

OF_CAUSE = {
    AccountCause.STOLEN_PASSWORD: Trouble.STOLEN_ACCOUNT,
    AccountCause.LATERAL_PHISHING: Trouble.STOLEN_ACCOUNT,
    AccountCause.INFECTED_MACHINE: Trouble.INFECTED_MACHINE,
    AccountCause.HIJACKED_SITE: Trouble.HACKED_SITE,
    AccountCause.HIJACKED_BULK_SENDER: Trouble.HIJACKED_BULK_SENDER,
    AccountCause.BULK_MAILER: Trouble.ROGUE_DEPARTMENT,
    # Nobody is in the account: what is passed on harms our name all the same, and its owner has to be talked to.
    AccountCause.FORWARDER: Trouble.HIGH_COMPLAINT_RATIO,
}
"""The trouble of an account by what has probably happened to it."""

OF_RULE = {
    "complaints": Trouble.HIGH_COMPLAINT_RATIO,
    Stream.BOUNCES_RETURNED.value: Trouble.INVENTED_RECIPIENTS,
    QUEUE_GROWTH: Trouble.QUEUE_GROWING,
    QUEUE_AGE: Trouble.QUEUE_GROWING,
    DESTINATION_GROWTH: Trouble.QUEUE_GROWING,
    "queue-counter-growth": Trouble.QUEUE_GROWING,
}
"""The trouble by the rule of a finding, where that alone says it."""


def trouble_of_decision(decision: Decision) -> Trouble:
    """Return the trouble of an account that was decided about; without a likely cause it counts as stolen.

    That is the guess that contains most, and its playbook lets a person say otherwise.
    """
    return Trouble.STOLEN_ACCOUNT if decision.cause is None else OF_CAUSE[decision.cause]


def of_decision(decision: Decision, beside: Sequence[Subject] = ()) -> Evidence | None:
    """Return a decision as evidence, None where it let the message go.  A block opens a case, a hold only with
    points enough."""
    if decision.action is Action.ACCEPT:
        return None
    words = "; ".join(f"{one.rule} {one.points:+.1f}: {one.text}" for one in decision.findings)
    lines = tuple(dict.fromkeys(line for one in decision.findings for line in one.evidence))
    return Evidence(
        happening_id("decision", decision.account.lower(), decision.action, decision.at.isoformat(), words),
        decision.at,
        trouble_of_decision(decision),
        account_subject(decision.account),
        f"{decision.action.value} at {decision.points:.1f} points" + (f": {words}" if words else ""),
        decision.points,
        lines,
        tuple(beside),
        opens=True if decision.action is Action.BLOCK else None,
    )


def of_finding(finding: Finding, subject: Subject, at: datetime, beside: Sequence[Subject] = ()) -> Evidence | None:
    """Return a finding as evidence, None where its rule alone says no trouble."""
    trouble = OF_RULE.get(finding.rule)
    if trouble is None:
        return None
    when = finding.at or at
    return Evidence(
        happening_id("finding", trouble, subject.kind, subject.name, finding.rule, when.isoformat(), finding.text),
        when,
        trouble,
        subject,
        f"{finding.rule}: {finding.text}",
        finding.points,
        finding.evidence,
        tuple(beside),
    )


def of_standing(account: str, standing: Standing, at: datetime, reason: str) -> Evidence | None:
    """Return it as evidence that a person held or blocked an account; None for any other standing."""
    if standing not in (Standing.HELD, Standing.BLOCKED):
        return None
    return Evidence(
        happening_id("standing", account.lower(), standing, at.isoformat()),
        at,
        Trouble.STOLEN_ACCOUNT,
        account_subject(account),
        f"{standing.value} by a person" + (f": {reason}" if reason else ""),
        opens=standing is Standing.BLOCKED,
    )


def of_listing(address: str, listed_by: str, meaning: str, began_at: datetime, cause: Cause) -> Evidence:
    """Return it as evidence that a list has one of our addresses; its diagnosis says whether it is backscatter."""
    trouble = Trouble.BACKSCATTER if cause is Cause.BACKSCATTER else Trouble.OWN_ADDRESS_LISTED
    return Evidence(
        happening_id("listing", address, listed_by, began_at.isoformat()),
        began_at,
        trouble,
        Subject(SubjectKind.OWN_ADDRESS, address),
        f"{address} is on {listed_by}" + (f": {meaning}" if meaning else ""),
    )


def of_forgery(domain: str, address: str, reporter: str, messages: int, at: datetime) -> Evidence:
    """Return it as evidence that a receiver reports mail in the name of our domain from a machine that is not ours."""
    return Evidence(
        happening_id("forgery", domain, address, reporter, at.isoformat()),
        at,
        Trouble.FORGED_DOMAIN,
        Subject(SubjectKind.DOMAIN, domain),
        f"{messages:,} messages in the name of {domain} from {address}, by {reporter}",
        beside=(Subject(SubjectKind.REPORTED_ADDRESS, address),),
    )


def opened(evidence: Evidence, subscriber: Subscriber, playbook: Playbook, offence: int, now: datetime) -> Case:
    """Return the new case that a piece of evidence opens, before its first turn."""
    return Case(
        case_id(subscriber.id, evidence.trouble, evidence.id),
        subscriber.id,
        evidence.trouble,
        playbook.name,
        CaseState.NEW,
        "",
        opened_at=now,
        entered_at=now,
        changed_at=now,
        offence=1 if evidence.trouble in OF_THE_SITE else offence,
    )
