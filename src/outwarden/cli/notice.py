"""``outwarden notice``: what the owners of accounts are told; shows it, and checks the site's own texts.

Nothing is sent, and everything shown is invented.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.rendering import plain, print_json

if TYPE_CHECKING:
    from outwarden.service.notice_texts import Preview

_EXIT = "Exit code: 0 done, 1 a template is wrong, 2 usage."
_KINDS = (
    "stolen-account",
    "infected-machine",
    "spam-content",
    "limit-reached",
    "blocked-by-person",
    "given-back",
    "hacked-site",
    "bulk-to-confirm",
    "password-reset",
    "rules-found",
)
# Written out, because to import them would read the templates' program for --help.
_language = click.option(
    "--language", type=click.Choice(["en", "it", "de", "fr", "es"]), default="en", help="In this language."
)
_templates = click.option("--templates", metavar="FOLDER", help="With your own templates in this folder.")


@click.group(epilog=_EXIT)
def notice() -> None:
    """What the owners of accounts are told: which notices there are, what they look like, are your own texts right."""


@notice.command("list", epilog=_EXIT)
@_language
@_templates
@click.pass_context
def notice_list(context: click.Context, language: str, templates: str | None) -> None:
    """List the kinds of notices with their subjects."""
    for each in _previews(_KINDS, language, templates):
        if context.obj["json"]:
            print_json({"kind": each.kind, "subject": each.subject})
        else:
            click.echo(plain(f"{each.kind:<18} {each.subject}"))


@notice.command("preview", epilog=_EXIT)
@click.argument("kind", type=click.Choice(_KINDS), metavar="KIND")
@_language
@click.option("--zone", metavar="ZONE", help="The reader's time zone, such as Europe/Rome; without it UTC.")
@click.option("--html", "page", metavar="FILE", help="Write the HTML part there too.")
@_templates
@click.pass_context
def notice_preview(
    context: click.Context, kind: str, language: str, zone: str | None, page: str | None, templates: str | None
) -> None:
    """Show a notice about invented facts: its subject, the text message, the mail as plain text."""
    (shown,) = _previews((kind,), language, templates, zone)
    if page is not None:
        from outwarden.cli.output_file import write_whole

        write_whole(Path(page), [shown.html])
    if context.obj["json"]:
        print_json(shown._asdict())
        return
    click.echo(plain(f"Subject: {shown.subject}"))
    click.echo(plain(f"Text message: {shown.text_message}"))
    click.echo()
    for line in shown.text.splitlines():
        click.echo(plain(line))


@notice.command("check", epilog=_EXIT)
@click.argument("folder", metavar="FOLDER")
@click.pass_context
def notice_check(context: click.Context, folder: str) -> None:
    """Say what is wrong with the templates in a folder: file, line, and what would do."""
    from outwarden.service.notice_texts import template_faults

    faults = template_faults(Path(folder))
    for fault in faults:
        if context.obj["json"]:
            print_json(fault._asdict())
        else:
            click.echo(plain(str(fault)))
    if faults:
        context.exit(1)
    if not context.obj["json"]:
        click.echo(plain(f"{folder}: all templates can be used, in every kind of notice"))


def _previews(kinds: tuple[str, ...], language: str, templates: str | None, zone: str | None = None) -> "list[Preview]":
    from outwarden.service.notice_texts import UnknownZone, UnusableTemplates, previews

    try:
        return previews(kinds, language, None if templates is None else Path(templates), zone)
    except UnusableTemplates as wrong:
        raise CouldNot(str(wrong)) from None
    except UnknownZone as fault:
        raise WrongArgument(f"--zone: {fault}") from None
