"""``outwarden audit``: who did what, and whether the log of it is whole."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.rendering import number, plain, print_json
from outwarden.cli.settings_option import StoreNotReachable, configuration

if TYPE_CHECKING:
    from outwarden.store.audit import Audit, Head, Verified

Found = TypeVar("Found")
_EXIT = (
    "Exit code: 0 done, 1 the log does not verify, 2 usage, 5 the store cannot be used, 78 the configuration cannot be "
    "used."
)


class Broken(CouldNot):
    """The log is not what was written."""


@click.group(epilog=_EXIT)
def audit() -> None:
    """The audit log: who did what to which thing, when and why; only ever added to, and its rows hang together."""


@audit.command("list", epilog=_EXIT)
@click.option("--of", "thing", metavar="OBJECT", help="About this account, destination or other thing.")
@click.option("--by", metavar="ACTOR", help="Done by this person or program.")
@click.option("--since", metavar="TIME", help="From this time on, such as 2026-11-25 or 2026-11-25T03:00 (UTC).")
@click.pass_context
def audit_list(context: click.Context, thing: str | None, by: str | None, since: str | None) -> None:
    """List the rows, oldest first."""
    begin = _time(since)
    for entry in _with_audit(context.obj, lambda log: log.entries(thing, by, begin)):
        if context.obj["json"]:
            from dataclasses import asdict

            print_json(asdict(entry))
            continue
        change = f"{entry.before} -> {entry.after}" if entry.before else entry.after
        why = f": {entry.reason}" if entry.reason else ""
        stamp = f"{entry.at:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(plain(f"{entry.number}  {stamp}  {entry.actor}  {entry.action}  {entry.object}  {change}{why}"))


@audit.command("head", epilog=_EXIT)
@click.pass_context
def audit_head(context: click.Context) -> None:
    """Print the number and hash of the newest row, to be kept where this machine's root cannot write."""
    from outwarden.store.audit import head_line

    head = _with_audit(context.obj, lambda log: log.head())
    if context.obj["json"]:
        print_json({"head": _document(head)})
    elif head is not None:
        click.echo(head_line(head))


@audit.command("verify", epilog=_EXIT)
@click.option(
    "--heads", metavar="FILE", help="Heads that were printed earlier, one a line: the log must still have these rows."
)
@click.pass_context
def audit_verify(context: click.Context, heads: str | None) -> None:
    """Say whether each row is as it was written, and which are proved to be."""
    exported = _heads(heads)
    found = _with_audit(context.obj, lambda log: log.verify(exported))
    if context.obj["json"]:
        print_json(found._asdict() | {"head": _document(found.head)})
        if found.why:
            context.exit(Broken.exit_code)
        return
    if found.why:
        raise Broken(f"the audit log is broken: {found.why}; {_trusted(found)}")
    click.echo(f"{number(found.rows)} rows, each as it was written, as far as the log itself can show; {_proof(found)}")


def _trusted(found: "Verified") -> str:
    if not found.fits_to:
        return "no row of it can be trusted"
    upto = f"rows 1 to {found.proved_to} are proved by an exported head, " if found.proved_to else ""
    fits = f"rows {found.proved_to + 1} to {found.fits_to} fit together, which alone is no proof, "
    return f"{upto}{fits if found.fits_to > found.proved_to else ''}nothing after row {found.fits_to} can be trusted"


def _proof(found: "Verified") -> str:
    if found.proved_to:
        return f"up to row {found.proved_to} it is proved by an exported head"
    return "give --heads FILE to prove it against a head that was kept elsewhere"


def _document(head: "Head | None") -> dict[str, Any] | None:
    return None if head is None else head._asdict()


def _heads(name: str | None) -> "list[Head]":
    from outwarden.store.audit import MalformedHead, read_heads

    if name is None:
        return []
    try:
        heads = read_heads(sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8"))
    except OSError as fault:
        raise CouldNot(f"{name}: {fault.strerror}") from None
    except (MalformedHead, UnicodeDecodeError) as fault:
        raise CouldNot(f"{name}: {fault}") from None
    if not heads:
        raise CouldNot(f"{name} is empty; `outwarden audit head` prints such lines")
    return heads


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise WrongArgument(f"--since {text}: no time; write 2026-11-25 or 2026-11-25T03:00") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _with_audit(options: dict[str, Any], work: "Callable[[Audit], Found]") -> "Found":
    from outwarden.store.database import StoreUnusable
    from outwarden.store.store import Store

    try:
        with Store(Path(configuration(options).settings.store.path), read_only=True) as store:
            return work(store.audit)
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault
