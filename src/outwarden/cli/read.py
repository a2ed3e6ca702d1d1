"""``outwarden read``: what a message is, and which account of ours it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import configuration, settings_in_words

if TYPE_CHECKING:
    from outwarden.service.message_reading import ReadMessage


@click.command(epilog="Exit code: 0 read, 1 a file could not be opened, 2 usage, 78 the configuration cannot be used.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.pass_context
def read(context: click.Context, files: tuple[str, ...]) -> None:
    """Say which account of ours a message comes from, by our mark in it.

    FILE is one message, or - for standard input; compressed files are read as they are.  The mark is found in the
    message's own header, in a message or header that it returns, and in what it quotes.  Bounces, complaints and
    reports are not told from other mail yet.
    """
    from outwarden.service.mark_keys import mark_keys
    from outwarden.service.message_reading import UnreadableFile, read_file

    found = configuration(context.obj)
    with settings_in_words():
        keys = mark_keys(found)
    faults = []
    for file in files:
        try:
            message = read_file(file, keys)
        except UnreadableFile as fault:
            faults.append(str(fault))
            continue
        if context.obj["json"]:
            print_json(message)
        else:
            click.echo(plain(_line(message, keys is not None)))
    if faults:
        raise CouldNot("; ".join(faults))


def _line(message: ReadMessage, has_keys: bool) -> str:
    if message.kind == "unreadable":
        whose = f"; {_whose(message, has_keys)}" if message.ours is not None else ""
        return f"{message.file}: unreadable: {message.reason}{whose}"
    subject = f" ({message.subject})" if message.subject else ""
    return f"{message.file}: {message.kind}{subject}: {_whose(message, has_keys)}"


def _whose(message: ReadMessage, has_keys: bool) -> str:
    if message.marked_at is not None:
        at = f"{message.marked_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"ours, handed in by {message.account} on {message.host} at {at}"
    if message.ours is False:
        return "not ours: it carries or returns a header without a mark of ours"
    return "no mark says whose" if has_keys else "whose is not known without the keys of the mark (mark.keys_file)"
