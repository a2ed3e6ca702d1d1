"""``outwarden read``: what a message is, which account of ours it comes from, and what a bounce says of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import configuration, settings_in_words

if TYPE_CHECKING:
    from outwarden.service.message_reading import ReadMessage
    from outwarden.sources.reports import BouncedRecipient, Complaint


@click.command(epilog="Exit code: 0 read, 1 a file could not be opened, 2 usage, 78 the configuration cannot be used.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.pass_context
def read(context: click.Context, files: tuple[str, ...]) -> None:
    """Say what a message is and which account of ours it comes from.

    FILE is one message, an mbox, a Maildir, or - for standard input; compressed files are read as they are.  Of a
    bounce each recipient is told with what became of it and why, of a complaint what it is about; whose a message is
    shows our mark in it.
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
                    print_json(_as_json(message))
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
    if message.bounce is not None:
        lines += [f"  {_recipient(one)}" for one in message.bounce.recipients]
        original = message.bounce.original
        lines += _original(original.message_id, original.subject, original.sender)
    if message.complaint is not None:
        lines += [f"  {_complaint(message.complaint)}"]
        lines += _original(message.complaint.message_id, message.complaint.subject, message.complaint.sender)
    return lines


def _as_json(message: ReadMessage) -> dict[str, object]:
    """Return what is told of every message, and beside it what is told of its kind."""
    import msgspec

    told = msgspec.to_builtins(message)
    bounce, complaint = told.pop("bounce"), told.pop("complaint")
    return {**told, **(bounce or {}), **(complaint or {})}


def _original(message_id: str | None, subject: str | None, sender: str | None) -> list[str]:
    if message_id is None and sender is None:
        return []
    about = f" ({subject})" if subject else ""
    return [f"  the original: {message_id or 'no Message-ID'}{about} from {sender or 'nobody'}"]


def _complaint(one: Complaint) -> str:
    """Return a complaint in words: ``abuse by yahoo, about mail from 192.0.2.1 to otto@far.example``."""
    whom = "a recipient who is kept back" if one.redacted else ", ".join(one.original_recipients) or "nobody named"
    at = f" at {one.arrived_at:%Y-%m-%d %H:%M:%S} UTC" if one.arrived_at else ""
    source = one.source_address or "nowhere named"
    return f"{one.feedback_type} by {one.provider or 'nobody named'}, about mail from {source} to {whom}{at}"


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
