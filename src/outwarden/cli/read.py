"""``outwarden read``: what a message is, which account of ours it comes from, and what a bounce says of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import configuration, settings_in_words

if TYPE_CHECKING:
    from outwarden.service.message_reading import ReadMessage
    from outwarden.sources.reports import BouncedRecipient


@click.command(epilog="Exit code: 0 read, 1 a file could not be opened, 2 usage, 78 the configuration cannot be used.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.pass_context
def read(context: click.Context, files: tuple[str, ...]) -> None:
    """Say what a message is and which account of ours it comes from.

    FILE is one message, an mbox, a Maildir, or - for standard input; compressed files are read as they are.  Of a
    bounce each recipient is told with what became of it and why; whose a message is shows our mark in it.
    """
    from outwarden.service.mark_keys import mark_keys
    from outwarden.service.message_reading import UnreadableFile, read_path

    found = configuration(context.obj)
    with settings_in_words():
        keys = mark_keys(found)
    faults = []
    for file in files:
        try:
            for message in read_path(file, keys):
                if context.obj["json"]:
                    print_json(message)
                else:
                    click.echo("\n".join(map(plain, _lines(message, keys is not None))))
        except UnreadableFile as fault:
            faults.append(str(fault))
    if faults:
        raise CouldNot("; ".join(faults))


def _lines(message: ReadMessage, has_keys: bool) -> list[str]:
    if message.kind == "unreadable":
        whose = f"; {_whose(message, has_keys)}" if message.ours is not None else ""
        return [f"{message.file}: unreadable: {message.reason}{whose}"]
    subject = f" ({message.subject})" if message.subject else ""
    lines = [f"{message.file}: {message.kind}{subject}: {_whose(message, has_keys)}"]
    lines += [f"  {_recipient(one)}" for one in message.recipients]
    original = message.original
    if original is not None and (original.message_id or original.sender):
        about = f" ({original.subject})" if original.subject else ""
        lines.append(
            f"  the original: {original.message_id or 'no Message-ID'}{about} from {original.sender or 'nobody'}"
        )
    return lines


def _recipient(one: BouncedRecipient) -> str:
    """Return one recipient in words: ``rosa@isp.example: failed for good, 5.1.1, unknown-recipient: 550 ...``."""
    how_long = (" for good" if one.permanent else ", may pass") if one.action == "failed" else ""
    told = [f"{one.action}{how_long}", *filter(None, (one.status, one.refusal_class))]
    reply = f": {one.reply}" if one.reply else ""
    return f"{one.address}: {', '.join(told)}{reply}"


def _whose(message: ReadMessage, has_keys: bool) -> str:
    if message.marked_at is not None:
        at = f"{message.marked_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"ours, handed in by {message.account} on {message.host} at {at}"
    if message.ours is False:
        return "not ours: it carries or returns a header without a mark of ours"
    return "no mark says whose" if has_keys else "whose is not known without the keys of the mark (mark.keys_file)"
