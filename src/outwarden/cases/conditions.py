"""The conditions that a step or a transition of a playbook may have, and whether they hold for a case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from outwarden.cases.case import Case, Mark
from outwarden.cases.policy import GroupPolicy, Measure
from outwarden.cases.subscriber import ContactRole, SubjectKind, Subscriber


class Condition(StrEnum):
    """What may be asked about a case."""

    FIRST_OFFENCE = "first-offence"
    REPEATED = "repeated"
    TO_LOCK = "to-lock"
    TO_END_SERVICE = "to-end-service"
    OWNER_REACHABLE = "owner-reachable"
    TECHNICAL_CONTACT_KNOWN = "technical-contact-known"
    MANAGER_KNOWN = "manager-known"
    ACCOUNT_KNOWN = "account-known"
    SCRIPT_KNOWN = "script-known"
    DESTINATION_KNOWN = "destination-known"
    REPORTED_ADDRESS_KNOWN = "reported-address-known"
    REGRESSED = "regressed"
    ESCALATING = "escalating"


class Circumstances(msgspec.Struct, frozen=True):
    """What a case is judged by beside itself: who answers for it, and the policy that holds for them."""

    subscriber: Subscriber
    group: GroupPolicy = GroupPolicy()


_Holds = Callable[[Case, Circumstances], bool]


def _measure(*wanted: Measure) -> _Holds:
    return lambda case, around: around.group.repeats.measure(case.offence) in wanted


def _reached(role: ContactRole) -> _Holds:
    return lambda case, around: around.subscriber.reached_as(role, case.named(SubjectKind.ACCOUNT)) is not None


def _names(kind: SubjectKind) -> _Holds:
    return lambda case, _around: bool(case.named(kind))


def _marked(mark: Mark) -> _Holds:
    return lambda case, _around: mark in case.marks


_HOLDS: dict[Condition, _Holds] = {
    Condition.FIRST_OFFENCE: lambda case, _around: case.offence == 1,
    Condition.REPEATED: lambda case, _around: case.offence > 1,
    Condition.TO_LOCK: _measure(Measure.LOCK, Measure.END_SERVICE),
    Condition.TO_END_SERVICE: _measure(Measure.END_SERVICE),
    Condition.OWNER_REACHABLE: _reached(ContactRole.OWNER),
    Condition.TECHNICAL_CONTACT_KNOWN: _reached(ContactRole.TECHNICAL),
    Condition.MANAGER_KNOWN: _reached(ContactRole.MANAGER),
    Condition.ACCOUNT_KNOWN: _names(SubjectKind.ACCOUNT),
    Condition.SCRIPT_KNOWN: _names(SubjectKind.SCRIPT),
    Condition.DESTINATION_KNOWN: _names(SubjectKind.DESTINATION),
    Condition.REPORTED_ADDRESS_KNOWN: _names(SubjectKind.REPORTED_ADDRESS),
    Condition.REGRESSED: _marked(Mark.REGRESSED),
    Condition.ESCALATING: _marked(Mark.ESCALATING),
}


def all_hold(when: Iterable[Condition], unless: Iterable[Condition], case: Case, around: Circumstances) -> bool:
    """Return whether every condition of ``when`` holds and none of ``unless`` does."""
    wanted = all(_HOLDS[one](case, around) for one in when)
    return wanted and not any(_HOLDS[one](case, around) for one in unless)
