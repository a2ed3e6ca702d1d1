"""``outwarden case``: the desk from the terminal: cases, what was found and done; note, assign, step, resolve, reopen.

It works on the store, so it needs no running service.  What a word leads to is written down as asked for; whoever may
act does it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.acting import asked_by
from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import Column, harmless_json, plain, print_json, stamp, table
from outwarden.cli.settings_option import StoreNotReachable, configuration

if TYPE_CHECKING:
    from outwarden.cases.case import Case
    from outwarden.cases.going_on import Turn
    from outwarden.cases.happening import OfCase
    from outwarden.cases.policy import Role
    from outwarden.store.store import Store

_EXIT = (
    "Exit code: 0 done, 1 could not, 2 usage, 3 no such case, 4 refused, 5 the store cannot be used, 78 the "
    "configuration cannot be used."
)
_case = click.argument("number", metavar="CASE")
_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
_reason = click.option("--reason", metavar="TEXT", default="", help="Why; it is written down.")


class NotFound(CouldNot):
    """There is no such case."""

    exit_code = 3


class NotAllowed(CouldNot):
    """It is refused by policy, by rights, or because the case stands elsewhere."""

    exit_code = 4


@click.group(epilog=_EXIT)
def case() -> None:
    """The desk: cases, what was found and done; note, assign, step, resolve, reopen, export."""


@case.command("list", epilog=_EXIT)
@click.option("--all", "closed_too", is_flag=True, help="The closed ones, too.")
@click.option("--unresolved", is_flag=True, help="Evidence that belongs to nobody known, instead.")
@click.pass_context
def case_list(context: click.Context, closed_too: bool, unresolved: bool) -> None:
    """List the cases that are not closed, the newest change first."""
    if unresolved:
        _show_unresolved(context)
        return
    with _store(context.obj, read_only=True) as store:
        found = store.cases.all_cases() if closed_too else store.cases.open_cases()
    if context.obj["json"]:
        for one in found:
            print_json(summary(one))
        return
    if not found:
        click.echo("no case is open" if not closed_too else "there is no case")
        return
    columns = [
        *(Column(head, right=False) for head in ("case", "kind", "subscriber", "state", "changed", "marks")),
        Column("with", right=False),
    ]
    rows = [
        (
            one.id,
            one.trouble.value,
            plain(one.subscriber),
            f"{one.state.value}: {one.place}",
            f"{one.changed_at:%Y-%m-%d %H:%M}",
            " ".join(mark.value for mark in one.marks),
            plain(one.assigned_to),
        )
        for one in found
    ]
    from outwarden.cli.log_options import screen

    for line in table(columns, rows, screen(context.obj["verbose"]).width):
        click.echo(line)


@case.command("show", epilog=_EXIT)
@_case
@click.pass_context
def case_show(context: click.Context, number: str) -> None:
    """Show a case: how it stands, what it waits for, and its timeline."""
    with _store(context.obj, read_only=True) as store:
        found = _found(store, number)
        entries = store.cases.timeline(found.id)
    if context.obj["json"]:
        print_json(summary(found) | {"timeline": entries, "asked": found.asked, "waits_for": _waits_for(found)})
        return
    for line in _head(found):
        click.echo(plain(line))
    for entry in entries:
        words = entry.raw[0] if entry.raw and context.obj["verbose"] else entry.text
        by = f"  ({entry.actor})" if entry.actor else ""
        click.echo(plain(f"  {stamp(entry.at)}  {entry.kind.value:8}  {words}{by}"))
        for line in entry.raw[1:] if context.obj["verbose"] else ():
            click.echo(plain(f"      {line}"))


@case.command("note", epilog=_EXIT)
@_case
@click.argument("text")
@_dry_run
@click.pass_context
def case_note(context: click.Context, number: str, text: str, dry_run: bool) -> None:
    """Write something down in a case."""
    from outwarden.cases.happening import Noted

    _tell(context, number, lambda known, of, now: Noted(of("note"), now, known, asked_by(), _role(), text), dry_run)


@case.command("assign", epilog=_EXIT)
@_case
@click.argument("person", default="")
@_dry_run
@click.pass_context
def case_assign(context: click.Context, number: str, person: str, dry_run: bool) -> None:
    """Give a case to a person; to nobody where none is named."""
    from outwarden.cases.happening import Assigned

    _tell(context, number, lambda known, of, now: Assigned(of("to"), now, known, asked_by(), _role(), person), dry_run)


@case.command("step", epilog=_EXIT)
@_case
@click.argument("word")
@_reason
@_dry_run
@click.pass_context
def case_step(context: click.Context, number: str, word: str, reason: str, dry_run: bool) -> None:
    """Say a word of the playbook; case show names those that are understood now."""
    _say(context, number, word, reason, dry_run)


@case.command("resolve", epilog=_EXIT)
@_case
@_reason
@_dry_run
@click.pass_context
def case_resolve(context: click.Context, number: str, reason: str, dry_run: bool) -> None:
    """Say that it is put right; a relapse takes the case up again."""
    _say(context, number, "resolve", reason, dry_run)


@case.command("reopen", epilog=_EXIT)
@_case
@_reason
@_dry_run
@click.pass_context
def case_reopen(context: click.Context, number: str, reason: str, dry_run: bool) -> None:
    """Begin a resolved or closed case anew: its first steps are asked for again."""
    _say(context, number, "reopen", reason, dry_run)


@case.command("export", epilog=_EXIT)
@_case
@click.option("--redacted", is_flag=True, help="Without log lines, and with other people's mailboxes masked.")
@click.pass_context
def case_export(context: click.Context, number: str, redacted: bool) -> None:
    """Print a case with all its evidence as one JSON document."""
    from msgspec import to_builtins
    from msgspec.json import encode

    with _store(context.obj, read_only=True) as store:
        found = _found(store, number)
        entries: list[dict[str, Any]] = to_builtins(store.cases.timeline(found.id))
    for entry in entries if redacted else ():
        del entry["raw"]
    click.echo(harmless_json(encode({"case": found, "timeline": entries})))


def summary(found: "Case") -> dict[str, Any]:
    """Return a case for --json: names, times and counts that stay what they are."""
    return {
        "case": found.id,
        "kind": found.trouble,
        "subscriber": found.subscriber,
        "state": found.state,
        "place": found.place,
        "marks": found.marks,
        "offence": found.offence,
        "points": found.points,
        "subjects": found.subjects,
        "opened": found.opened_at,
        "changed": found.changed_at,
        "last_evidence": found.last_evidence_at,
        "due": found.next_due_at,
        "assigned_to": found.assigned_to or None,
        "version": found.version,
    }


def _say(context: click.Context, number: str, word: str, reason: str, dry_run: bool) -> None:
    from outwarden.cases.happening import Said

    _tell(
        context, number, lambda known, of, now: Said(of(word), now, known, asked_by(), _role(), word, reason), dry_run
    )


_Made = Callable[[str, Callable[[str], str], datetime], "OfCase"]


class _OnlyTried(Exception):
    """Leaves the transaction, so that nothing of it is written."""


def _tell(context: click.Context, number: str, make: _Made, dry_run: bool) -> None:
    """Tell the desk one thing, in one transaction with its row in the audit log, and show what came of it."""
    from outwarden.cases.desk import Desk
    from outwarden.cases.happening import happening_id
    from outwarden.cases.playbook_reading import shipped_playbooks
    from outwarden.cases.subscriber import Subscribers

    now, turn = datetime.now(UTC), None
    with _store(context.obj) as store:
        desk = Desk(store.cases, shipped_playbooks(), Subscribers())
        try:
            with store.writing():
                known = _found(store, number)
                # The version makes it another one than the same word said later.
                told = make(known.id, lambda word: happening_id("terminal", known.id, known.version, word), now)
                turn = desk.hear(told, now)
                if dry_run:
                    raise _OnlyTried
        except _OnlyTried:
            pass
    if turn is not None:
        _show_turn(turn, context.obj, dry_run)


def _show_turn(turn: "Turn", options: dict[str, Any], dry_run: bool) -> None:
    if options["json"]:
        print_json(summary(turn.case) | {"dry_run": dry_run, "requests": turn.requests})
        return
    would = "would be: " if dry_run else ""
    click.echo(plain(f"{would}{turn.case.id} {turn.case.state.value} in {turn.case.place}"))
    for entry in turn.entries:
        click.echo(plain(f"  {entry.kind.value:8}  {entry.text}"))


def _show_unresolved(context: click.Context) -> None:
    with _store(context.obj, read_only=True) as store:
        found = store.cases.unresolved()
    for one in found:
        if context.obj["json"]:
            print_json({"why": one.why, "evidence": one.evidence})
        else:
            click.echo(plain(f"{stamp(one.evidence.at)}  {one.evidence.trouble.value}  {one.evidence.text}"))
            click.echo(plain(f"    {one.why}"))
    if not found and not context.obj["json"]:
        click.echo("nothing is unresolved")


def _head(found: "Case") -> Iterator[str]:
    marks = "".join(f", {mark.value}" for mark in found.marks)
    yield f"{found.id}  {found.trouble.value}  {found.subscriber}"
    yield f"  {found.state.value} in {found.place}{marks}; offence {found.offence}, evidence {found.evidence_count}"
    if found.assigned_to:
        yield f"  with {found.assigned_to}"
    yield f"  waits for {_waits_for(found)}"
    if found.next_due_at is not None:
        yield f"  by the clock at {stamp(found.next_due_at)}"


def _waits_for(found: "Case") -> str:
    from outwarden.cases.going_on import waits_for
    from outwarden.cases.playbook_reading import shipped_playbooks

    return waits_for(found, shipped_playbooks()[found.trouble])


def _found(store: "Store", number: str) -> "Case":
    """Return a case by its number, in capitals or not.  Raises ``NotFound``."""
    found = store.cases.case(number.upper())
    if found is None:
        raise NotFound(f"{number}: there is no such case; outwarden case list --all shows them")
    return found


@contextmanager
def _store(options: dict[str, Any], *, read_only: bool = False) -> "Iterator[Store]":
    from outwarden.cases.going_on import Refused
    from outwarden.store.cases import CaseChangedMeanwhile
    from outwarden.store.database import StoreUnusable
    from outwarden.store.store import Store

    path = Path(configuration(options).settings.store.path)
    try:
        with Store(path, read_only=read_only) as store:
            yield store
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault
    except Refused as fault:
        raise NotAllowed(str(fault)) from fault
    except CaseChangedMeanwhile as fault:
        raise CouldNot(str(fault)) from fault


def _role() -> "Role":
    """Return what the user of the terminal may do: who is root may do everything here anyway."""
    import os

    from outwarden.cases.policy import Role

    return Role.ADMINISTRATOR if os.geteuid() == 0 else Role.DESK
