"""What ``replay`` prints: what it would have cost, who would have been stopped, and why."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import click
from msgspec.structs import asdict

from outwarden.cli.log_options import Screen
from outwarden.cli.rendering import Column, duration, hanging, number, plain, stamp, table, wrapped
from outwarden.detection.replay.outcome import AccountOutcome, Cost, Fate, Outcome, Turn, What, worst
from outwarden.service.replaying import Replay, WhatWasRead

_FEW_ACCOUNTS, _FEW_CASES, _FEW_DIFFERENCES = 10, 4, 10
_MANY_ACCOUNTS, _MANY_CASES, _MANY_DIFFERENCES = 200, 50, 200

ACCOUNT_COLUMNS = (
    Column("account", right=False),
    Column("would be", right=False),
    Column("since", right=False),
    Column("messages", "msgs"),
    Column("recipients", "rcpts"),
    Column("left"),
)
COUNTED = (
    "messages, recipients: handed in until then, since the first suspicious one (stolen accounts: since stolen); "
    "left: recipients of these that had left before"
)


def headline(outcome: Outcome) -> str:
    """Return what a policy would have done, in one sentence."""
    blocked = sum(one.first(What.BLOCKED) is not None for one in outcome.accounts)
    held = sum(one.stopped and one.first(What.BLOCKED) is None for one in outcome.accounts)
    honest = outcome.honest
    return (
        f"{plain(outcome.policy)}: {_many(blocked, 'account')} blocked, {number(held)} only held; "
        f"of {_many(honest.messages, 'honest message')} {number(honest.delayed)} late, "
        f"{number(honest.never)} of them never sent"
    )


def _many(count: int, what: str) -> str:
    return f"{number(count)} {what}{'s' if count != 1 else ''}"


def report(answer: Replay, screen: Screen) -> list[str]:
    """Return the lines of the report; on a terminal the first accounts and reasons only."""
    whole = screen.height is None
    sections = [
        [
            click.style(line, bold=True)
            for line in wrapped((headline(outcome) for outcome in answer.outcomes), screen.width)
        ],
        _costs(answer.outcomes, screen.width),
        _differences(answer, _MANY_DIFFERENCES if whole else _FEW_DIFFERENCES, screen.width),
        *(_accounts_of(outcome, whole, screen.width) for outcome in answer.outcomes),
        [click.style(line, dim=True) for line in wrapped([COUNTED], screen.width)],
        *_cases(answer.outcomes, _MANY_CASES if whole else _FEW_CASES, screen.width),
        wrapped(what_was_read(answer), screen.width),
    ]
    lines = [line for section in sections if section for line in [*section, ""]]
    return lines[:-1]


# -- the figures ------------------------------------------------------------------------------------


def cost_rows(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Return the figures, one row each: its name, then one cell for each policy."""
    rows = [
        ("accounts blocked", [number(sum(worst(one) == "blocked" for one in of.accounts)) for of in outcomes]),
        ("accounts only held", [number(sum(worst(one) == "held" for one in of.accounts)) for of in outcomes]),
    ]
    if outcomes[0].truth_known:
        rows += [
            ("stolen accounts blocked", [_stolen_blocked(of) for of in outcomes]),
            ("recipients that left stolen ones", [_leaks(of) for of in outcomes]),
            ("blocks of honest accounts", [_blocks(of) for of in outcomes]),
        ]
    costs: list[Cost] = [of.honest for of in outcomes]
    rows += [
        ("honest messages", [number(of.messages) for of in costs]),
        ("  late", [_share(of.delayed, of.messages) for of in costs]),
        ("  over five minutes late", [_share(of.over_five_minutes, of.messages) for of in costs]),
        ("  never sent", [_share(of.never, of.messages) for of in costs]),
        ("mean wait of late ones", [_wait(of) for of in costs]),
        ("days of accounts with held mail", [number(of.hold_days) for of in costs]),
        ("times the desk had to look", [number(of.reviews) for of in outcomes]),
    ]
    return [[name, *cells] for name, cells in rows]


def _stolen_blocked(outcome: Outcome) -> str:
    stolen = [one for one in outcome.accounts if one.stolen]
    return f"{sum(one.first(What.BLOCKED) is not None for one in stolen)} of {len(stolen)}"


def _leaks(outcome: Outcome) -> str:
    leaks = [one.leaked for one in outcome.accounts if one.stolen]
    return f"{number(sum(leaks))} (worst {number(max(leaks))})" if len(leaks) > 1 else number(sum(leaks))


def _blocks(outcome: Outcome) -> str:
    blocks = outcome.honest.blocks
    return f"{number(blocks)} ({outcome.blocks_per_1000_account_days:.2f} per 1,000 days)" if blocks else "0"


def _share(count: int, of: int) -> str:
    return f"{number(count)} ({count / of:.1%})" if count else "0"


def _wait(cost: Cost) -> str:
    seconds = cost.mean_wait_seconds
    return duration(timedelta(seconds=seconds)) if seconds >= 120 else f"{seconds:.0f} s"


def _costs(outcomes: Sequence[Outcome], width: int) -> list[str]:
    columns = [Column("", right=False), *(Column(plain(outcome.policy)) for outcome in outcomes)]
    return table(columns, cost_rows(outcomes), width)


# -- two policies -----------------------------------------------------------------------------------


def fate_words(fate: Fate) -> str:
    """Return what a policy did to an account, in words."""
    parts = [fate.would_be if fate.since is None else f"{fate.would_be} {fate.since:%m-%d %H:%M}"]
    if fate.left:
        parts.append(f"{number(fate.left)} recipients left")
    if fate.late:
        parts.append(f"{number(fate.late)} messages late")
    if fate.never:
        parts.append(f"{number(fate.never)} never sent")
    return ", ".join(parts)


def _differences(answer: Replay, most: int, width: int) -> list[str]:
    if len(answer.outcomes) < 2:
        return []
    if not answer.differences:
        return ["Both policies would have done the same to every account."]
    names = [plain(outcome.policy) for outcome in answer.outcomes[:2]]
    broad = max(map(len, names))
    lines = ["Where they differ"]
    for one in answer.differences[:most]:
        lines.append(plain(one.account))
        for name, fate in zip(names, (one.first, one.second), strict=True):
            lines += hanging(f"  {name:<{broad}}  ", fate_words(fate), width)
    return lines + _more(len(answer.differences) - most, "account")


# -- the accounts -----------------------------------------------------------------------------------


def account_row(one: AccountOutcome) -> list[str]:
    """Return the cells of an account, one for each of ``ACCOUNT_COLUMNS``."""
    turn = telling_turn(one)
    name = plain(one.account) + (" (stolen)" if one.stolen else "")
    if turn is None:
        return [name, worst(one), "", "", "", number(one.leaked) if one.stolen else ""]
    return [
        name,
        worst(one),
        f"{turn.at:%m-%d %H:%M}",
        number(turn.messages),
        number(turn.recipients),
        number(turn.left),
    ]


def telling_turn(one: AccountOutcome) -> Turn | None:
    """Return the turn that an account is told by: its first block, else its first hold."""
    return one.first(What.BLOCKED) or one.first(What.HELD)


def story(one: AccountOutcome) -> str:
    """Return the turns of an account in one line."""
    turns = [f"{turn.what.value}{' by the desk' if turn.by_desk else ''} {turn.at:%m-%d %H:%M}" for turn in one.turns]
    more = len(turns) - 6 + one.more_turns
    return ", ".join(turns[:6]) + (f" and {number(more)} more turns" if more > 0 else "")


def costs_of(one: AccountOutcome) -> str:
    """Return what became of an account's mail, in one line."""
    fates, cost = one.recipients, one.cost
    parts = [f"of {number(fates.submitted)} recipients {number(fates.left)} left"]
    parts += [
        f"{number(count)} {word}"
        for count, word in (
            (fates.refused, "refused"),
            (fates.dropped, "dropped from the hold"),
            (fates.deferred, "put off"),
            (fates.waiting, "held to the end"),
        )
        if count
    ]
    if cost.delayed > cost.never:
        parts.append(f"mean wait {_wait(cost)}")
    return ", ".join(parts)


def reasons(one: AccountOutcome) -> list[tuple[str, str]]:
    """Return points and words of what an account was stopped for, heaviest first."""
    turn = next((turn for turn in (telling_turn(one), *one.turns) if turn is not None and turn.findings), None)
    return [] if turn is None else [(f"{finding.points:+.1f}", plain(finding.text)) for finding in turn.findings]


def cause_line(one: AccountOutcome) -> str:
    """Return the likely cause with its reasons, empty where the account was not blocked."""
    turn = one.first(What.BLOCKED)
    if turn is None or turn.cause is None:
        return ""
    return f"{turn.cause.value.replace('-', ' ')}: {plain('; '.join(turn.because))}".removesuffix(": ")


def _accounts_of(outcome: Outcome, whole: bool, width: int) -> list[str]:
    if not outcome.accounts:
        return [f"{plain(outcome.policy)} would have stopped nobody."]
    most = _MANY_ACCOUNTS if whole else _FEW_ACCOUNTS
    head, *rows = table(ACCOUNT_COLUMNS, [account_row(one) for one in outcome.accounts[:most]], width)
    return [
        f"By {plain(outcome.policy)}, from {stamp(outcome.learned_until)} on",
        click.style(head, dim=True),
        *rows,
        *_more(len(outcome.accounts) - most, "account"),
    ]


def _cases(outcomes: Sequence[Outcome], most: int, width: int) -> list[list[str]]:
    """Return the reasons of each account, once where policies had the same."""
    names = dict.fromkeys(one.account for outcome in outcomes for one in outcome.accounts)
    sections = []
    for name in list(names)[:most]:
        told: dict[tuple[str, ...], list[str]] = {}
        for outcome in outcomes:
            if (one := outcome.account(name)) is not None:
                told.setdefault(tuple(_case(one, width)), []).append(plain(outcome.policy))
        for lines, policies in told.items():
            sections.append([*([f"[{', '.join(policies)}]"] if len(outcomes) > 1 else []), *lines])
    return sections


def _case(one: AccountOutcome, width: int) -> list[str]:
    cause = cause_line(one)
    lines = wrapped([f"{plain(one.account)}: {cause}" if cause else plain(one.account)], width)
    for points, text in reasons(one):
        lines += hanging(f"{points:>6}  ", text, width)
    for line in (story(one), costs_of(one)):
        if line:
            lines += hanging("  ", line, width)
    return lines


def _more(count: int, what: str) -> list[str]:
    if count <= 0:
        return []
    return [click.style(f"and {_many(count, f'more {what}')}: -v", dim=True)]


# -- what it rests on -------------------------------------------------------------------------------


def what_was_read(answer: Replay) -> list[str]:
    """Return what the answer rests on: files, lines, messages, and what could not be joined."""
    read, joined = answer.read, answer.read.joined
    names = ", ".join(plain(file.name) for file in read.files[:3])
    if len(read.files) > 3:
        names += f" and {len(read.files) - 3} more files"
    lines = [
        f"Read {names} ({', '.join(read.formats)}): {number(read.lines)} lines, "
        f"{number(read.lines_not_understood)} not understood; {_many(joined.messages, 'message')} of accounts of ours "
        f"to {_many(joined.recipients, 'recipient')}, {stamp(answer.tape.from_at)} to {stamp(answer.tape.to_at)}.",
        *(f"{plain(broken)}." for broken in read.broken),
        *(f"{plain(damage)}." for damage in read.damage),
    ]
    lines += [sentence for count, sentence in _not_joined(read) if count]
    return lines


def _not_joined(read: WhatWasRead) -> list[tuple[int, str]]:
    joined = read.joined
    return [
        (joined.strangers, f"{number(joined.strangers)} messages came in from outside: not played."),
        (
            joined.by_sender,
            f"{number(joined.by_sender)} messages were answered under another queue ID: joined by account and order.",
        ),
        (
            joined.unanswered,
            f"Of {number(joined.unanswered)} recipients no final answer is known: it speaks against nobody.",
        ),
        (joined.attempts_alone, f"{number(joined.attempts_alone)} answers belong to no message: left out."),
        (
            joined.attempts_elsewhere,
            f"{number(joined.attempts_elsewhere)} answers are for addresses that a message did not name: left out.",
        ),
        (joined.complaints_alone, f"{number(joined.complaints_alone)} complaints belong to no message: left out."),
        (joined.closed_early, f"{number(joined.closed_early)} messages were given up before all was answered."),
        (joined.out_of_time, f"{number(joined.out_of_time)} events are of no year of mail: left out."),
    ]


# -- for programs -----------------------------------------------------------------------------------


def replay_document(answer: Replay) -> dict[str, Any]:
    """Return the answer for programs."""
    read = answer.read
    return {
        "from": answer.tape.from_at,
        "to": answer.tape.to_at,
        "policies": [_policy_document(outcome) for outcome in answer.outcomes],
        "differences": answer.differences,
        "files": read.files,
        "formats": read.formats,
        "lines": read.lines,
        "lines_not_understood": read.lines_not_understood,
        "broken": read.broken,
        "joined": read.joined,
    }


def _policy_document(outcome: Outcome) -> dict[str, Any]:
    return {
        "policy": outcome.policy,
        "learned_until": outcome.learned_until,
        "days": outcome.days,
        "accounts": [_account_document(one) for one in outcome.accounts],
        "honest": {
            "accounts": outcome.honest_accounts,
            **asdict(outcome.honest),
            "mean_wait_seconds": outcome.honest.mean_wait_seconds,
            "blocks_per_1000_account_days": outcome.blocks_per_1000_account_days,
        },
        "messages": outcome.messages,
        "recipients": outcome.recipients,
        "reviews": outcome.reviews,
    }


def _account_document(one: AccountOutcome) -> dict[str, Any]:
    return {"would_be": worst(one), **asdict(one), "hours": [asdict(hour) for hour in one.hours]}
