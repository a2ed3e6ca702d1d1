"""``outwarden resume``: take a pause back, and let what waited leave."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.acting import (
    EXIT,
    account_option,
    destination_option,
    done_directly,
    dry_run_option,
    faults_in_words,
    mta_option,
    now,
    printed_only,
    record,
    refuse_to_run,
    show_steps,
)
from outwarden.cli.asking import ask_if_there
from outwarden.cli.failure import WrongArgument
from outwarden.cli.pause import one_thing, standing, standing_line, store_is_there
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import configuration

if TYPE_CHECKING:
    from outwarden.service.control.records import Resumed


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
    if not dry_run:
        refuse_to_run(mta)
    question = {
        "account": account,
        "destination": destination,
        "everything": everything,
        "expired": expired,
        "mail_server": mta or "",
    }
    if dry_run:
        _show_plan(question, mta, context.obj)
        return
    answer = ask_if_there(context.obj, "resume", question)
    if answer is None:
        _show(_resumed_directly(question, context.obj), context.obj)
    else:
        from msgspec import convert

        from outwarden.service.control.records import Resumed

        _show(convert(answer, Resumed), context.obj)


def _resumed_directly(question: dict[str, Any], options: dict[str, Any]) -> "Resumed":
    with faults_in_words():
        from outwarden.service.acting import must_be_root
        from outwarden.service.control.records import Resumed
        from outwarden.service.pausing import What

        What.of(question["account"], question["destination"])
        must_be_root()
        if not store_is_there(Path(configuration(options).settings.store.path)):
            return Resumed((), ())
        resumed: Resumed = done_directly(options, "resume", question)
        if question["expired"]:
            _let_late_mail_go(options)
        return resumed


def _let_late_mail_go(options: dict[str, Any]) -> None:
    """Do for a timer what the service does beside: see to sessions that were open when a pause ended."""
    from outwarden.service.late_held import LateHeld
    from outwarden.store.store import Store

    settings = configuration(options).settings
    with Store(Path(settings.store.path)) as store:
        LateHeld(store, settings.mail_server, now, lambda line: click.echo(plain(line), err=True)).let_go()


def _show_plan(question: dict[str, Any], mta: str | None, options: dict[str, Any]) -> None:
    with faults_in_words():
        from outwarden.service.control.records import Resumed, standing_record
        from outwarden.service.mail_servers import mail_server, printed_pause
        from outwarden.service.pausing import What, steps_to_resume

        what = What.of(question["account"], question["destination"])
        if mta is not None and printed_only(mta):
            show_steps(mta, printed_pause(mta, what, undo=True), options)
            return
        settings = configuration(options).settings
        stand = standing(Path(settings.store.path))
        over = [each for each in stand if each.expires_at is not None and each.expires_at <= now()]
        one = [each for each in stand if what.is_of(each)]
        ended = stand if question["everything"] else over if question["expired"] else one
        if not ended:
            _show(Resumed((), tuple(map(standing_record, stand))), options)
            return
        chosen = [What(each.kind, each.subject) for each in ended]
        server = mail_server(settings.mail_server, mta or "")
        show_steps(server.name, [step.words() for step in steps_to_resume(server, stand, chosen)], options)


def _show(resumed: "Resumed", options: dict[str, Any]) -> None:
    for each in resumed.ended:
        if options["json"]:
            print_json(record(each))
            continue
        click.echo(plain(f"resumed: {standing_line(each)}"))
        for remark in each.remarks:
            click.echo(plain(f"  {remark}"))
    if options["json"] or options["quiet"]:
        return
    if not resumed.ended:
        click.echo("nothing to resume: it is not paused by Outwarden")
    for each in resumed.others:
        click.echo(plain(f"still paused: {standing_line(each)}"))
