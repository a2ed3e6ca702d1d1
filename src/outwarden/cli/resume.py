"""``outwarden resume``: take a pause back, and let what waited leave."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.acting import (
    EXIT,
    account_option,
    asked_by,
    destination_option,
    dry_run_option,
    faults_in_words,
    mta_option,
    now,
    printed_only,
    record,
    refuse_to_run,
    show_steps,
)
from outwarden.cli.failure import WrongArgument
from outwarden.cli.pause import one_thing, standing, standing_line
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import configuration

if TYPE_CHECKING:
    from outwarden.service.pausing import What
    from outwarden.store.responses import Response


@click.command(epilog=EXIT)
@account_option
@destination_option
@click.option("--all", "everything", is_flag=True, help="Every pause there is.")
@click.option("--expired", is_flag=True, help="Only pauses whose time is over; for a timer.")
@mta_option
@dry_run_option
@click.pass_context
def resume(
    context: click.Context,
    account: str | None,
    destination: str | None,
    everything: bool,
    expired: bool,
    mta: str | None,
    dry_run: bool,
) -> None:
    """Take a pause back, and let what waited leave; without options that of the whole server.

    What is not paused is no error.
    """
    one_thing(account, destination)
    if sum((everything, expired, account is not None or destination is not None)) > 1:
        raise WrongArgument("--all and --expired stand alone")
    with faults_in_words():
        from outwarden.service.pausing import What

        what = What.of(account, destination)
        if mta is not None and printed_only(mta) and dry_run:
            from outwarden.service.mail_servers import printed_pause

            show_steps(mta, printed_pause(mta, what, undo=True), context.obj)
            return
        refuse_to_run(mta)
        _resume(what, everything, expired, mta, dry_run, context.obj)


def _resume(
    what: "What", everything: bool, expired: bool, mta: str | None, dry_run: bool, options: dict[str, Any]
) -> None:
    from outwarden.service.acting import must_be_root
    from outwarden.service.mail_servers import mail_server
    from outwarden.service.pausing import Pausing, What, steps_to_resume
    from outwarden.store.store import Store

    if not dry_run:
        must_be_root()
    settings = configuration(options).settings
    path = Path(settings.store.path)
    stand = standing(path, read_only=dry_run)
    over = [each for each in stand if each.expires_at is not None and each.expires_at <= now()]
    ended = stand if everything else over if expired else [each for each in stand if what.is_of(each)]
    if not ended:
        _show([], options)
        _show_others(stand, options)
        return
    chosen = [What(each.kind, each.subject) for each in ended]
    server = mail_server(settings.mail_server, mta or "")
    if dry_run:
        show_steps(server.name, [step.words() for step in steps_to_resume(server, stand, chosen)], options)
        return
    with Store(path) as store:
        acted = Pausing(store, server, now, asked_by()).resume(chosen, "its time was over" if expired else "resumed")
        _show([(each.response, each.remarks) for each in acted], options)
        _show_others(store.responses.standing(), options)


def _show(ended: "list[tuple[Response, tuple[str, ...]]]", options: dict[str, Any]) -> None:
    for response, remarks in ended:
        if options["json"]:
            print_json(record(response, remarks))
            continue
        click.echo(plain(f"resumed: {standing_line(response)}"))
        for remark in remarks:
            click.echo(plain(f"  {remark}"))
    if not ended and not options["json"] and not options["quiet"]:
        click.echo("nothing to resume: it is not paused by Outwarden")


def _show_others(others: "list[Response]", options: dict[str, Any]) -> None:
    if not options["json"] and not options["quiet"]:
        for each in others:
            click.echo(plain(f"still paused: {standing_line(each)}"))
