"""``outwarden playbook``: what is asked for in which case: list, check, draw, and try on the past.

None of it needs the service, and none of it changes anything.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from outwarden.cli.failure import CouldNot
from outwarden.cli.log_options import failures_in_words, refuse_damage, screen, timezone
from outwarden.cli.progress import Progress
from outwarden.cli.rendering import Column, plain, print_json, stamp, table
from outwarden.cli.settings_option import BadConfiguration

if TYPE_CHECKING:
    from datetime import tzinfo

    from outwarden.cases.happening import Evidence
    from outwarden.cases.playbook import Playbook
    from outwarden.cases.rehearsal import Life, Rehearsal

_EXIT = "Exit code: 0 done, 1 could not, 2 usage, 3 no such playbook, 78 a playbook or policy cannot be used."


class NoSuchPlaybook(CouldNot):
    """There is neither a shipped playbook nor a file of that name."""

    exit_code = 3


def _complete(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from outwarden.cases.troubles import Trouble

    return [
        *(CompletionItem(one.value) for one in Trouble if one.value.startswith(incomplete)),
        CompletionItem(incomplete, type="file"),
    ]


_name = click.argument("name", metavar="NAME", shell_complete=_complete)


@click.group(epilog=_EXIT)
def playbook() -> None:
    """What is asked for in which case.  NAME is a shipped playbook, or a file."""


@playbook.command("list", epilog=_EXIT)
@click.pass_context
def playbook_list(context: click.Context) -> None:
    """List the playbooks that are shipped."""
    from outwarden.cases.playbook_reading import shipped_playbooks

    shipped = list(shipped_playbooks().values())
    if context.obj["json"]:
        for one in shipped:
            print_json({"name": one.name, "trouble": one.trouble, "title": one.title, "states": list(one.states)})
        return
    rows = [(one.name, one.title, str(len(one.states)), str(_steps(one))) for one in shipped]
    columns = [Column("playbook", right=False), Column("for", right=False), Column("states"), Column("steps")]
    for line in table(columns, rows, screen(context.obj["verbose"]).width):
        click.echo(line)


@playbook.command("check", epilog=_EXIT)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.pass_context
def playbook_check(context: click.Context, files: tuple[str, ...]) -> None:
    """Say what is wrong with playbooks, each mistake in one line with file, line, key and cure."""
    from outwarden.cases.playbook_reading import PlaybookError

    wrong = []
    for file in files:
        try:
            _read(file)
            found: tuple[str, ...] = ()
        except PlaybookError as error:
            found = error.mistakes
        wrong += [f"{file}: {mistake}" for mistake in found]
        if context.obj["json"]:
            print_json({"file": file, "mistakes": found})
        elif not found and not context.obj["quiet"]:
            click.echo(plain(f"{file}: good"))
    if wrong:
        if not context.obj["json"]:
            for line in wrong[:-1]:
                click.echo(f"outwarden: {plain(line)}", err=True)
        raise BadConfiguration(wrong[-1])


@playbook.command("graph", epilog=_EXIT)
@_name
@click.option("--svg", metavar="FILE", type=click.Path(path_type=Path), help="Draw it into this file, too.")
@click.pass_context
def playbook_graph(context: click.Context, name: str, svg: Path | None) -> None:
    """Show a playbook: its states, what is asked for in each, and the ways out."""
    from msgspec import to_builtins

    from outwarden.cases.drawing import drawn
    from outwarden.cases.graph import text_graph

    found = _playbook(name)
    if svg is not None:
        from outwarden.cli.output_file import write_whole

        write_whole(svg, [drawn(found)])
    if context.obj["json"]:
        print_json(to_builtins(found))
    elif not context.obj["quiet"]:
        for line in text_graph(found, min(screen(context.obj["verbose"]).width, 80)):
            click.echo(plain(line))


@playbook.command("try", epilog=_EXIT)
@_name
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--policy", metavar="P", default="university", help="The policy of the replay: a file, or a shipped one.")
@click.option("--learn", metavar="DAYS", type=click.FloatRange(min=0), help="Accept and learn for so long at first.")
@click.option("--failing", is_flag=True, help="Every step fails, instead of being done.")
@timezone
@click.pass_context
def playbook_try(
    context: click.Context,
    name: str,
    files: tuple[str, ...],
    policy: str,
    learn: float | None,
    failing: bool,
    zone: "tzinfo",
) -> None:
    """Play past mail to a playbook: which cases there would have been, and which step would be asked when.

    FILE is what replay takes: events, a log, a folder of logs.  Each account is a subscriber of its own; every step is
    answered at once, and nobody says a word.  Nothing is changed and nobody is told.
    """
    from outwarden.cases.policy import CasePolicy
    from outwarden.cases.rehearsal import rehearse
    from outwarden.cases.response_requests import Answer
    from outwarden.cases.subscriber import Subscribers

    found = _playbook(name)
    evidence, damage = _evidence(files, policy, learn, zone, not context.obj["quiet"])
    answers = Answer.FAILED if failing else Answer.DONE
    played = rehearse(evidence, {found.trouble: found}, Subscribers(), CasePolicy(), answers)
    _show(found, played, evidence, context.obj)
    refuse_damage(damage)


def _steps(found: "Playbook") -> int:
    return sum(len(state.steps) for state in found.states.values())


def _playbook(name: str) -> "Playbook":
    """Return a shipped playbook or that of a file.  Raises what the command line tells."""
    from outwarden.cases.playbook_reading import PlaybookError

    try:
        return _read(name)
    except PlaybookError as error:
        more = f" ({len(error.mistakes) - 1} more: outwarden playbook check)" if error.mistakes[1:] else ""
        raise BadConfiguration(f"{name}: {error.mistakes[0]}{more}") from error


def _read(name: str) -> "Playbook":
    from outwarden.cases.playbook_reading import read_playbook, shipped_playbooks
    from outwarden.cases.troubles import Trouble

    if name in list(Trouble):
        return shipped_playbooks()[Trouble(name)]
    try:
        text = Path(name).read_text(encoding="utf-8")
    except FileNotFoundError as fault:
        message = f"{name}: there is no such playbook; name a file, or one that outwarden playbook list shows"
        raise NoSuchPlaybook(message) from fault
    except OSError as fault:
        raise BadConfiguration(f"{name}: {fault.strerror}; name a playbook that can be read") from fault
    except UnicodeDecodeError as fault:
        raise BadConfiguration(f"{name}: not UTF-8 text; save it as UTF-8") from fault
    return read_playbook(text)


def _evidence(
    files: tuple[str, ...], policy: str, learn: float | None, zone: "tzinfo", wanted: bool
) -> "tuple[tuple[Evidence, ...], tuple[str, ...]]":
    from outwarden.cases.rehearsal import evidence_of
    from outwarden.cli.replay import named_policy
    from outwarden.detection.replay.player import Plan
    from outwarden.service import replaying
    from outwarden.service.event_reading import EventReading
    from outwarden.service.log_reading import log_sources

    chosen = named_policy(policy)
    try:
        with failures_in_words(), Progress(wanted) as progress:
            tape, read = replaying.read_tape(EventReading(log_sources(files), zone, progress, None))
        with Progress(wanted, unit="messages") as progress:
            answer = replaying.replay(tape, read, [chosen], Plan({}, learn, None), progress)
    except replaying.NothingToPlay as fault:
        raise CouldNot(str(fault)) from fault
    return evidence_of(answer.outcomes[0]), answer.read.damage


def _show(found: "Playbook", played: "Rehearsal", evidence: "tuple[Evidence, ...]", options: dict[str, Any]) -> None:
    from collections import Counter

    from msgspec import to_builtins

    if options["json"]:
        for life in played.lives:
            print_json(to_builtins(life))
        return
    if not played.lives:
        others = Counter(one.trouble.value for one in evidence if one.trouble is not found.trouble)
        there = ", ".join(f"{trouble} ({count})" for trouble, count in others.most_common())
        click.echo(f"no case of {found.trouble.value}" + (f"; there is evidence of {there}" if there else ""))
    for life in played.lives:
        _show_life(life, found, options["quiet"])
    if played.too_little and not options["quiet"]:
        click.echo(f"too little to open a case, and before one was open: {played.too_little} times evidence")


def _show_life(life: "Life", found: "Playbook", short: bool) -> None:
    from outwarden.cases.going_on import waits_for

    case = life.case
    marks = "".join(f", {mark.value}" for mark in case.marks)
    click.echo(plain(f"{case.subscriber}  {case.trouble.value}  {case.state.value} in {case.place}{marks}"))
    if short:
        return
    for entry in life.entries:
        click.echo(plain(f"  {stamp(entry.at)}  {entry.kind.value:8}  {entry.text}"))
    click.echo(plain(f"  {'waits for':>20}    {waits_for(case, found)}"))
