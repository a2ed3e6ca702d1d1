"""Repeated offences: how often, what was done, what the next one leads to, and who may give a locked account back."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from outwarden.cases.case import Case, CaseState
from outwarden.cases.policy import Measure, Role
from outwarden.cases.response_requests import Answer, ResponseName
from outwarden.cases.subscriber import account_subject
from outwarden.service.desk.news import cases_of_account
from outwarden.service.desk.site import DeskSite
from outwarden.store.case_tries import AccountTry
from outwarden.store.store import Store

PERIODS = (30, 90, 365)
UNLOCK = "unlock"
"""The word of the shipped playbook by which somebody one level up gives a locked account back."""


class Counted(msgspec.Struct, frozen=True):
    """How often, within so many days."""

    within_30_days: int
    within_90_days: int
    within_365_days: int


class Offences(msgspec.Struct, frozen=True):
    """What is remembered of an account: offences (of whoever answers for it), new passwords, and what comes next."""

    account: str
    subscriber: str
    offences: Counted
    resets: Counted
    next_measure: Measure
    explained: str


def offences(store: Store, site: DeskSite, account: str, now: datetime) -> Offences:
    """Return what is remembered of an account."""
    subscriber = site.subscribers.of(account_subject(account))
    name = account if subscriber is None else subscriber.id
    repeats = site.policy.of_group("default" if subscriber is None else subscriber.group).repeats
    counts = [store.cases.offences(name, now - timedelta(days=days)) for days in PERIODS]
    resets = [
        one.at
        for one in store.case_tries.about_account(account, now - timedelta(days=PERIODS[-1]))
        if one.response is ResponseName.RESET_PASSWORD and one.answer is Answer.DONE
    ]
    reset_counts = [sum(at >= now - timedelta(days=days) for at in resets) for days in PERIODS]
    number = 1 + store.cases.offences(name, now - timedelta(days=repeats.within_days))
    measure = repeats.measure(number)
    return Offences(
        account, name, Counted(*counts), Counted(*reset_counts), measure,
        f"the next would be offence {number} within {repeats.within_days} days: {_WORDS[measure]}",
    )  # fmt: skip


def history(store: Store, account: str, since: datetime) -> list[AccountTry]:
    """Return what cases had done about an account, newest first."""
    return store.case_tries.about_account(account, since)


def locked_case(store: Store, site: DeskSite, account: str) -> Case | None:
    """Return the case for whose sake an account is locked until somebody one level up unlocks it."""
    for case in cases_of_account(store, site, account):
        subscriber = site.subscribers.by_id(case.subscriber)
        repeats = site.policy.of_group("default" if subscriber is None else subscriber.group).repeats
        locks = repeats.measure(case.offence) is not Measure.WARN
        asked = any(one.response in (ResponseName.LOCK_ACCOUNT, ResponseName.END_SERVICE) for one in case.asked)
        if locks and asked and case.state is not CaseState.RESOLVED:
            return case
    return None


def refusal(case: Case, account: str, name: str, role: Role) -> str:
    """Return why somebody may not give a locked account back, empty where he may."""
    if role.may(Role.LEAD):
        return ""
    return (
        f"{account}: {case.id} is offence {case.offence}, so it is locked until a lead unlocks it, and {name} is "
        f"{role.value}; a lead says: outwarden case step {case.id} {UNLOCK}"
    )


_WORDS = {
    Measure.WARN: "its owner is warned",
    Measure.LOCK: "it is locked until a lead unlocks it",
    Measure.END_SERVICE: "the end of the service is asked for",
}
