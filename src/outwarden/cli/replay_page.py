"""The answer of ``replay`` as one page: the figures, where two policies differ, and the hours of each account."""

from collections.abc import Sequence
from typing import NamedTuple

from outwarden.cli.hour_bars import HourBars, all_accepted, hour_bars, span_of
from outwarden.cli.page_frame import framed
from outwarden.cli.rendering import plain, stamp
from outwarden.cli.replay_report import (
    ACCOUNT_COLUMNS,
    COUNTED,
    account_row,
    cause_line,
    cost_rows,
    costs_of,
    fate_words,
    headline,
    reasons,
    story,
    what_was_read,
)
from outwarden.detection.replay.outcome import AccountOutcome, Outcome, What, worst
from outwarden.events import Verdict
from outwarden.service.replaying import Replay

_ACCOUNTS, _CASES, _DIFFERENCES = 100, 12, 100


class _Told(NamedTuple):
    """What policies did to an account, in words."""

    policies: str
    word: str
    cause: str
    story: str
    costs: str
    findings: list[tuple[str, str]]


class _Case(NamedTuple):
    account: str
    charts: list[HourBars]
    told: list[_Told]


def replay_page(answer: Replay) -> str:
    """Return the page as HTML.  It stays small however long the recording: only the first accounts are drawn."""
    outcomes = answer.outcomes
    names = list(dict.fromkeys(one.account for outcome in outcomes for one in outcome.accounts))
    first = outcomes[0]
    return framed(
        "replay.html",
        verdict=_colour(outcomes).value,
        read=what_was_read(answer),
        caution="This page holds account names: treat it as you treat the log.  Nothing of it was done.",
        word=_word(first),
        sentences=[headline(outcome) for outcome in outcomes],
        policies=[plain(outcome.policy) for outcome in outcomes],
        cost_rows=cost_rows(outcomes),
        differences=[
            [plain(one.account), fate_words(one.first), fate_words(one.second)]
            for one in answer.differences[:_DIFFERENCES]
        ],
        more_differences=max(len(answer.differences) - _DIFFERENCES, 0),
        heads=[column.head for column in ACCOUNT_COLUMNS],
        counted=COUNTED,
        tables=[
            {
                "title": f"By {plain(outcome.policy)}, from {stamp(outcome.learned_until)} on",
                "rows": [{"cells": account_row(one), "class": worst(one)} for one in outcome.accounts[:_ACCOUNTS]],
                "more": max(len(outcome.accounts) - _ACCOUNTS, 0),
            }
            for outcome in outcomes
        ],
        cases=[_case(name, outcomes) for name in names[:_CASES]],
        more_cases=max(len(names) - _CASES, 0),
    )


def _word(outcome: Outcome) -> str:
    blocked = sum(one.first(What.BLOCKED) is not None for one in outcome.accounts)
    return f"{blocked} blocked, {sum(one.stopped for one in outcome.accounts) - blocked} held"


def _colour(outcomes: Sequence[Outcome]) -> Verdict:
    """Return the verdict whose colour the page takes: without a truth nobody can say whether it went well."""
    first = outcomes[0]
    if not first.truth_known:
        return Verdict.UNKNOWN
    well = not first.honest.blocks and all(one.first(What.BLOCKED) for one in first.accounts if one.stolen)
    return Verdict.NO if well else Verdict.MAYBE


def _case(name: str, outcomes: Sequence[Outcome]) -> _Case:
    stories = [outcome.account(name) for outcome in outcomes]
    known = [one for one in stories if one is not None]
    span = span_of(known)
    hours = [known[0].hours if one is None else one.hours for one in stories]
    return _Case(
        account=plain(name),
        charts=[
            # Who was never stopped has the same mail in the same hours, all of it accepted.
            hour_bars(all_accepted(rows) if one is None else rows, span, plain(outcome.policy), plain(name))
            for outcome, one, rows in zip(outcomes, stories, hours, strict=True)
        ],
        told=_told(outcomes, stories),
    )


def _told(outcomes: Sequence[Outcome], stories: Sequence[AccountOutcome | None]) -> list[_Told]:
    """Return what each policy did; those that did the same are told together."""
    told: list[_Told] = []
    for outcome, one in zip(outcomes, stories, strict=True):
        if one is not None:
            new = _Told(plain(outcome.policy), worst(one), cause_line(one), story(one), costs_of(one), reasons(one))
            if told and told[-1][1:] == new[1:]:
                new = new._replace(policies=f"{told.pop().policies}, {new.policies}")
            told.append(new)
    return told
