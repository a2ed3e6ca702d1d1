"""``outwarden delisting``: the way off each list, as a task: fix the cause, mark it, ask, wait.

Nothing is sent: who asks is a person, at the page that is named.  This says whether it is time, and remembers it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import StoreNotReachable, configuration

if TYPE_CHECKING:
    from outwarden.detection.delisting import DelistingTask
    from outwarden.store.store import Store

Found = TypeVar("Found")
_EXIT = "Exit code: 0 done, 2 usage, 3 no such listing, 4 refused, 5 the store cannot be used, 78 configuration."

_target = click.argument("target")
_list = click.argument("listed_by", metavar="LIST")


class NotFound(CouldNot):
    """There is no such listing."""

    exit_code = 3


class Refused(CouldNot):
    """The list must not be asked now."""

    exit_code = 4


@click.group(epilog=_EXIT)
def delisting() -> None:
    """The way off each list: what is to do, and when to ask."""


@delisting.command("list")
@click.pass_context
def delisting_list(context: click.Context) -> None:
    """Show each listing that outwarden run found and that has not ended, and its next step."""
    now = _now()
    tasks = _with_store(
        context.obj,
        lambda store: [
            (task, store.delistings.refusal(task.target, task.list, now)) for task in store.delistings.tasks()
        ],
        read_only=True,
    )
    for task, refusal in tasks:
        _show(task, context.obj, refusal)
    if not tasks and not context.obj["json"]:
        click.echo("nothing of ours is listed, as far as the service knows")


@delisting.command("fixed")
@_target
@_list
@click.option("--cause", metavar="TEXT", required=True, help="What it was, and how it was ended.")
@click.pass_context
def delisting_fixed(context: click.Context, target: str, listed_by: str, cause: str) -> None:
    """Mark the cause of a listing as fixed, so that the list may be asked."""
    _show(
        _with_store(context.obj, lambda store: store.delistings.mark_fixed(target, listed_by, cause, _now())),
        context.obj,
    )


@delisting.command("request")
@_target
@_list
@click.option("--dry-run", is_flag=True, help="Only say whether it may be asked now.")
@click.pass_context
def delisting_request(context: click.Context, target: str, listed_by: str, dry_run: bool) -> None:
    """Write down that you ask the list now; refused, with the reason, where that would do harm."""
    now = _now()
    if dry_run:
        reason = _with_store(
            context.obj, lambda store: store.delistings.refusal(target, listed_by, now), read_only=True
        )
        if reason is not None:
            raise Refused(reason)
        click.echo(plain(f"{listed_by} may be asked about {target} now"))
        return
    _show(_with_store(context.obj, lambda store: store.delistings.request(target, listed_by, now)), context.obj)


def _with_store(options: dict[str, Any], work: "Callable[[Store], Found]", read_only: bool = False) -> "Found":
    from outwarden.store.database import StoreUnusable
    from outwarden.store.delistings import NoSuchListing, RequestRefused
    from outwarden.store.store import Store

    path = Path(configuration(options).settings.store.path)
    try:
        with Store(path, read_only=read_only) as store:
            return work(store)
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault
    except NoSuchListing as fault:
        raise NotFound(str(fault)) from fault
    except RequestRefused as fault:
        raise Refused(str(fault)) from fault


def _show(task: "DelistingTask", options: dict[str, Any], refusal: str | None = None) -> None:
    if options["json"]:
        print_json(
            {
                "target": task.target,
                "list": task.list,
                "since": task.began_at,
                "ended": task.ended_at,
                "fixed": task.fixed_at,
                "cause": task.cause,
                "requests": task.requests,
                "next_step": task.step,
                "page": task.page,
                "not_now": refusal,
            }
        )
        return
    parts = [f"{task.target}  {task.list}  since {task.began_at:%Y-%m-%d %H:%M} UTC  next: {task.step}"]
    if task.cause:
        parts.append(f"    cause, fixed {task.fixed_at:%Y-%m-%d %H:%M} UTC: {task.cause}")
    parts += [f"    asked {at:%Y-%m-%d %H:%M} UTC" for at in task.requests]
    if task.step == "ask the list" and refusal:
        parts.append(f"    not now: {refusal}")
    elif task.step == "ask the list" and task.page:
        parts.append(f"    ask at: {task.page}")
    for part in parts:
        click.echo(plain(part))


def _now() -> datetime:
    return datetime.now(UTC)
