"""``outwarden queue``: what waits, for how long, and who is behind it.

``list`` shows each message like mailq, ``shape`` domains and ages like qshape, ``top`` the senders, ``growth`` what
listings saved one after another say together.  These change nothing: the queue is read from a file, or by asking the
mail server of this machine.  ``hold``, ``release`` and ``delete`` are in ``queue_changes``.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from outwarden.cli.failure import CouldNot
from outwarden.cli.log_options import now, screen, timezone
from outwarden.cli.queue_changes import queue_delete, queue_hold, queue_release
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import BadConfiguration

if TYPE_CHECKING:
    from datetime import tzinfo

    from outwarden.events import QueuedMessage
    from outwarden.sources.queue.reading import QueueReading

_EXPLAINED = """FILE is what postqueue -j, mailq, exim -bp or Exchange's Get-Queue, Get-Message and Get-Counter
printed, also compressed, or - for standard input.  Without FILE the mail server of this machine is asked."""
_MOST_BYTES = 1 << 28

_one_file = click.argument("file", metavar="[FILE]", required=False)


@click.group(epilog="outwarden queue VERB --help says with which codes it ends.")
def queue() -> None:
    """The outbound queue: list it, its shape, who fills it; hold, release, delete."""


for _verb in (queue_hold, queue_release, queue_delete):
    queue.add_command(_verb)


@queue.command("list", epilog=_EXPLAINED)
@_one_file
@click.option("--account", metavar="A", help="Only what this account handed in: its login, or its envelope sender.")
@timezone
@click.pass_context
def queue_list(context: click.Context, file: str | None, account: str | None, zone: "tzinfo") -> None:
    """List each waiting message, like mailq, with a total line.

    A form without messages gives its queues or counters instead.
    """
    from outwarden.cli.queue_tables import count_lines, counter_lines, message_lines

    at = now()
    reading = None if account is None or file is not None else _from_the_service(context, account)
    if reading is None:
        reading = _reading(context, file, at, zone)
        if account is not None:
            from outwarden.cli.queue_changes import only_of

            reading = only_of(account, reading, _messages(reading), file is None, context.obj)
    if context.obj["json"]:
        for record in _records(reading):
            print_json(record)
    elif reading.queues:
        _print(count_lines(reading))
    elif reading.samples:
        _print(counter_lines(reading))
    else:
        _print(message_lines(reading, at))
    _own_up(reading, context.obj)


@queue.command("shape", epilog=_EXPLAINED)
@_one_file
@click.option("--senders", is_flag=True, help="Count messages by the sender's domain instead.")
@timezone
@click.pass_context
def queue_shape(context: click.Context, file: str | None, senders: bool, zone: "tzinfo") -> None:
    """Show for which domains recipients wait, by age in minutes, like qshape."""
    from outwarden.cli.queue_tables import shape_lines
    from outwarden.detection.queue_shape import AGES_MINUTES, recipient_shape, sender_shape, total_row

    at = now()
    reading = _reading(context, file, at, zone)
    messages = _messages(reading)
    rows = (sender_shape if senders else recipient_shape)(messages, at)
    if context.obj["json"]:
        print_json({"ages_minutes": AGES_MINUTES, "total": total_row(rows), "domains": rows})
    else:
        _print(shape_lines(rows, screen(context.obj["verbose"])))
    _own_up(reading, context.obj)


@queue.command("top", epilog=_EXPLAINED)
@_one_file
@timezone
@click.pass_context
def queue_top(context: click.Context, file: str | None, zone: "tzinfo") -> None:
    """Show who is behind the queue: share, recipients, oldest, and the commonest reason."""
    from outwarden.cli.queue_tables import sender_lines
    from outwarden.detection.queue_growth import assess_queue
    from outwarden.detection.queue_shape import senders_behind

    at = now()
    reading = _reading(context, file, at, zone)
    messages = _messages(reading)
    senders = senders_behind(messages)
    findings = assess_queue(messages, at).findings
    if context.obj["json"]:
        print_json({"total": reading.total, "senders": senders, "findings": findings})
    else:
        _print(sender_lines(senders, findings, at, screen(context.obj["verbose"])))
    _own_up(reading, context.obj)


@queue.command(
    "growth", epilog="Each FILE is a listing as for list, looked at when it was last written: copy with cp -p."
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@timezone
@click.pass_context
def queue_growth(context: click.Context, files: tuple[str, ...], zone: "tzinfo") -> None:
    """Say whether the newest of several listings stands above those before it.

    Compared are messages, the oldest one's age, and recipients for each destination; the senders behind it are named.
    """
    from outwarden.cli.queue_tables import growth_lines
    from outwarden.detection.baseline.queue_findings import queue_growth as findings_of
    from outwarden.detection.queue_growth import sample_of_reading

    samples = []
    for file in files:
        at = _written_at(file)
        reading = _understood(*_from_file(file), at, zone)
        samples.append(sample_of_reading(reading, at))
        _own_up(reading, context.obj)
    samples.sort(key=lambda sample: sample.at)
    findings = findings_of(samples)
    if context.obj["json"]:
        looks = [{"at": one.at, "messages": one.messages, "oldest_minutes": one.oldest_minutes} for one in samples]
        print_json({"looks": looks, "findings": findings})
    else:
        _print(growth_lines(samples, findings))


def _written_at(file: str) -> datetime:
    try:
        return now() if file == "-" else datetime.fromtimestamp(Path(file).stat().st_mtime, UTC)
    except OSError as fault:
        raise CouldNot(f"{file}: {fault.strerror}; save the queue with: postqueue -j > {file}") from fault


def _reading(context: click.Context, file: str | None, at: datetime, zone: "tzinfo") -> "QueueReading":
    if file is not None:
        return _understood(*_from_file(file), at, zone)
    return _from_the_service(context) or _understood(*_from_this_machine(), at, zone)


def _from_the_service(context: click.Context, account: str | None = None) -> "QueueReading | None":
    """Return the queue as the running service sees it, who may see more than this user; None where it cannot be asked.

    It reads times as this machine has them.
    """
    from outwarden.cli.asking import ask_if_there

    if context.get_parameter_source("zone") is not ParameterSource.DEFAULT:
        return None
    try:
        answer = ask_if_there(context.obj, "queue.list", {"account": account})
    except BadConfiguration:
        # The queue can be seen all the same.
        return None
    if answer is None:
        return None
    from msgspec import convert

    from outwarden.sources.queue.reading import QueueReading

    return convert(answer, QueueReading)


def _understood(name: str, raw: bytes, at: datetime, zone: "tzinfo") -> "QueueReading":
    from outwarden.sources.queue.reading import MalformedQueue
    from outwarden.sources.queue.recognise import queue_text, read_queue

    try:
        return read_queue(queue_text(raw), at, zone)
    except MalformedQueue as fault:
        raise CouldNot(f"{name}: {fault}; save the queue with postqueue -j, exim -bp or mailq") from fault


def _from_file(file: str) -> tuple[str, bytes]:
    from outwarden.sources.compression import DamagedCompression, decompressed, decompressor_for

    try:
        with click.open_file(file, "rb") as opened:
            raw = opened.read(_MOST_BYTES)
        begin = decompressor_for(raw)
        if begin is not None:
            raw = _at_most(decompressed((raw,), begin))
    except OSError as fault:
        raise CouldNot(f"{file}: {fault.strerror}; save the queue with: postqueue -j > {file}") from fault
    except DamagedCompression as fault:
        raise CouldNot(f"{file}: the compressed file is cut off or damaged; fetch it again") from fault
    if len(raw) >= _MOST_BYTES:
        raise CouldNot(f"{file}: {_MOST_BYTES >> 20} MiB and more is no queue listing; name another file")
    return file, raw


def _at_most(blocks: Iterable[bytes]) -> bytes:
    """Return the blocks as one, given up where a small file expands to no end."""
    whole = bytearray()
    for block in blocks:
        whole += block
        if len(whole) >= _MOST_BYTES:
            break
    return bytes(whole)


def _from_this_machine() -> tuple[str, bytes]:
    from outwarden.service.local_mta import Programs, queue_listing

    listing = queue_listing(Programs())
    if listing is None:
        raise CouldNot(
            "no mail server here lists its queue (tried postqueue -j, exim -bp, mailq); "
            "name a FILE with its output, or run this as a user who may see the queue"
        )
    return listing


def _messages(reading: "QueueReading") -> "tuple[QueuedMessage, ...]":
    if reading.total and not reading.messages:
        raise CouldNot(
            f"{reading.form.value} tells how many messages wait, not whose or how old they are; "
            "use queue list, or a form with messages (postqueue -j, mailq, exim -bp, Get-Message)"
        )
    return reading.messages


def _records(reading: "QueueReading") -> Iterable[object]:
    """Return what --json prints, one line each."""
    if reading.messages:
        return map(_message_record, reading.messages)
    if reading.queues or reading.samples:
        return (*reading.queues, *reading.samples)
    return ({"total": reading.total},) if reading.total else ()


def _message_record(message: "QueuedMessage") -> dict[str, Any]:
    return {
        "queue_id": message.queue_id,
        "queue": message.queue,
        "arrived_at": message.arrived_at,
        "size": message.size,
        "sender": message.sender,
        "recipients": [{"address": address, "reason": reason} for address, reason in message.recipients],
    }


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _own_up(reading: "QueueReading", options: dict[str, Any]) -> None:
    """Say on stderr what was not understood: the first line of it, with -v the first twenty."""
    if reading.lines_not_understood:
        click.echo(f"outwarden: lines not understood: {reading.lines_not_understood}", err=True)
        for line in reading.unknown_lines[: None if options["verbose"] else 1]:
            click.echo(f"  {plain(line)}", err=True)
