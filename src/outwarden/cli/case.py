"""``outwarden case``: the desk from the terminal: cases, what was found and done; note, assign, step, resolve, reopen.

The running service is asked where there is one; else it works on the store, and what a word leads to is written down
as asked for, until a service carries it out.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.acting import asked_by
from outwarden.cli.asking import ACTING_SECONDS, READING_SECONDS, ask_if_there
from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import Column, harmless_json, plain, print_json, stamp, table
from outwarden.cli.settings_option import StoreNotReachable, configuration, settings_in_words

if TYPE_CHECKING:
    from outwarden.cases.case import Case
    from outwarden.service.desk.case_verbs import CaseChange, CaseTold, NoticeTold, TryTold
    from outwarden.store.cases import Unresolved
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
    found = _cases(context.obj, closed_too)
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
    told = _told(context.obj, number)
    found = told.case
    if context.obj["json"]:
        more = {"timeline": told.timeline, "asked": found.asked, "waits_for": told.waits_for}
        print_json(summary(found) | more | {"tries": told.tries, "notices": told.notices})
        return
    for line in _head(told):
        click.echo(plain(line))
    for entry in told.timeline:
        words = entry.raw[0] if entry.raw and context.obj["verbose"] else entry.text
        by = f"  ({entry.actor})" if entry.actor else ""
        click.echo(plain(f"  {stamp(entry.at)}  {entry.kind.value:8}  {words}{by}"))
        for line in entry.raw[1:] if context.obj["verbose"] else ():
            click.echo(plain(f"      {line}"))
    for line in _checklists(told, context.obj["verbose"]):
        click.echo(plain(line))


@case.command("note", epilog=_EXIT)
@_case
@click.argument("text")
@_dry_run
@click.pass_context
def case_note(context: click.Context, number: str, text: str, dry_run: bool) -> None:
    """Write something down in a case."""
    _change(context, {"case": number, "verb": "note", "text": text, "dry_run": dry_run})


@case.command("assign", epilog=_EXIT)
@_case
@click.argument("person", default="")
@_dry_run
@click.pass_context
def case_assign(context: click.Context, number: str, person: str, dry_run: bool) -> None:
    """Give a case to a person; to nobody where none is named."""
    _change(context, {"case": number, "verb": "assign", "text": person, "dry_run": dry_run})


@case.command("step", epilog=_EXIT)
@_case
@click.argument("word")
@click.option("--only", metavar="RESPONSE", default="", help="With yes or no: of this response alone.")
@_reason
@_dry_run
@click.pass_context
def case_step(context: click.Context, number: str, word: str, only: str, reason: str, dry_run: bool) -> None:
    """Say a word of the playbook; case show names those that are understood now.

    yes and no are understood wherever something waits for a person: it is done, or is not.
    """
    _say(context, number, word, reason, dry_run, only)


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

    told = _told(context.obj, number)
    entries: list[dict[str, Any]] = to_builtins(told.timeline)
    for entry in entries if redacted else ():
        del entry["raw"]
    whole = {"case": told.case, "timeline": entries, "tries": told.tries, "notices": told.notices}
    click.echo(harmless_json(encode(whole)))


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


def _say(context: click.Context, number: str, word: str, reason: str, dry_run: bool, only: str = "") -> None:
    said = {"case": number, "verb": "step", "text": word, "reason": reason, "only": only, "dry_run": dry_run}
    _change(context, said)


def _change(context: click.Context, wanted: Mapping[str, object]) -> None:
    """Have the desk told one thing, and show what came of it."""
    import os

    from msgspec import convert

    from outwarden.service.desk.case_verbs import CaseChange, Change, Person, change
    from outwarden.service.desk.site import desk_site

    answer = _asked(context.obj, "case.change", wanted, ACTING_SECONDS)
    if answer is not None:
        changed = convert(answer, CaseChange)
    else:
        with _store(context.obj) as store:
            site = desk_site(configuration(context.obj))
            who = Person(asked_by(), site.role(os.geteuid(), asked_by()))
            changed = change(store, site, convert(wanted, Change), who, datetime.now(UTC))
    _show_change(changed, context.obj)


def _show_change(changed: "CaseChange", options: dict[str, Any]) -> None:
    found = changed.case
    if options["json"]:
        more = {"dry_run": changed.dry_run, "requests": changed.requests, "said_yes": changed.said_yes}
        print_json(summary(found) | more)
        return
    would = "would be: " if changed.dry_run else ""
    click.echo(plain(f"{would}{found.id} {found.state.value} in {found.place}"))
    for what in changed.said_yes:
        click.echo(plain(f"  yes       {what}"))
    for entry in changed.entries:
        click.echo(plain(f"  {entry.kind.value:8}  {entry.text}"))


def _show_unresolved(context: click.Context) -> None:
    found = _unresolved(context.obj)
    for one in found:
        if context.obj["json"]:
            print_json({"why": one.why, "evidence": one.evidence})
        else:
            click.echo(plain(f"{stamp(one.evidence.at)}  {one.evidence.trouble.value}  {one.evidence.text}"))
            click.echo(plain(f"    {one.why}"))
    if not found and not context.obj["json"]:
        click.echo("nothing is unresolved")


def _head(told: "CaseTold") -> Iterator[str]:
    found = told.case
    marks = "".join(f", {mark.value}" for mark in found.marks)
    yield f"{found.id}  {found.trouble.value}  {found.subscriber}"
    yield f"  {found.state.value} in {found.place}{marks}; offence {found.offence}, evidence {found.evidence_count}"
    if found.assigned_to:
        yield f"  with {found.assigned_to}"
    yield f"  waits for {told.waits_for}"
    if found.next_due_at is not None:
        yield f"  by the clock at {stamp(found.next_due_at)}"
    asked = [one.what for one in told.tries if one.waits_for_you]
    if asked:
        yield f"  waits for your yes or no: {', '.join(asked)}"


def _checklists(told: "CaseTold", verbose: bool) -> Iterator[str]:
    if told.tries:
        yield "what was asked for:"
    for one in told.tries:
        yield from _try_lines(one, verbose)
    if told.notices:
        yield "who was told:"
    for notice in told.notices:
        yield _notice_line(notice)


def _try_lines(one: "TryTold", verbose: bool) -> Iterator[str]:
    stands = one.state if one.answer.value == "waiting" else one.answer.value
    said = f" (yes: {one.said_yes})" if one.said_yes else ""
    tries = f", tries: {one.tries}" if one.tries > 1 else ""
    yield f"  {stands:8}  {one.what}{said}{tries}" + (f": {one.words}" if one.words else "")
    for line in one.checklist if verbose else ():
        mark = {True: "seen", False: "NOT SO", None: "not known"}[line.holds]
        yield f"      {mark}: {line.deed}: {line.words}"


def _notice_line(notice: "NoticeTold") -> str:
    came_back = f", came back {stamp(notice.bounced)}" if notice.bounced is not None else ""
    return (
        f"  {stamp(notice.at)}  {notice.role} {notice.address} by {notice.channel}: {notice.kind}, "
        f"{notice.state}{came_back}: {notice.words}"
    )


# -- from the service, or from the store


def _cases(options: dict[str, Any], closed_too: bool) -> "list[Case]":
    from msgspec import convert

    from outwarden.cases.case import Case
    from outwarden.service.desk.case_verbs import cases

    answer = _asked(options, "case.list", {"closed_too": closed_too})
    if answer is not None:
        return convert(answer, list[Case])
    with _store(options, read_only=True) as store:
        return cases(store, closed_too)


def _unresolved(options: dict[str, Any]) -> "list[Unresolved]":
    from msgspec import convert

    from outwarden.service.desk.case_verbs import unresolved
    from outwarden.store.cases import Unresolved

    answer = _asked(options, "case.unresolved", {})
    if answer is not None:
        return convert(answer, list[Unresolved])
    with _store(options, read_only=True) as store:
        return unresolved(store)


def _told(options: dict[str, Any], number: str) -> "CaseTold":
    from msgspec import convert

    from outwarden.service.desk.case_verbs import CaseTold, one_case
    from outwarden.service.desk.site import desk_site

    answer = _asked(options, "case.show", {"case": number})
    if answer is not None:
        return convert(answer, CaseTold)
    with _store(options, read_only=True) as store:
        return one_case(store, desk_site(configuration(options)), number)


def _asked(
    options: dict[str, Any], verb: str, arguments: Mapping[str, object], seconds: float = READING_SECONDS
) -> Any | None:  # noqa: ANN401 (whatever the verb answers)
    return ask_if_there(options, verb, arguments, seconds)


@contextmanager
def _store(options: dict[str, Any], *, read_only: bool = False) -> "Iterator[Store]":
    from outwarden.cases.desk import NoSuchCase
    from outwarden.cases.going_on import Refused
    from outwarden.store.cases import CaseChangedMeanwhile
    from outwarden.store.database import StoreUnusable
    from outwarden.store.store import Store

    path = Path(configuration(options).settings.store.path)
    try:
        with settings_in_words(), Store(path, read_only=read_only) as store:
            yield store
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault
    except NoSuchCase as fault:
        raise NotFound(str(fault)) from fault
    except Refused as fault:
        raise NotAllowed(str(fault)) from fault
    except CaseChangedMeanwhile as fault:
        raise CouldNot(str(fault)) from fault
