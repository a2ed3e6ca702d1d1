"""``outwarden reply``: what a remote's refusal means."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outwarden.events import Refusal

_COLOURS = {"permanent": "red", "passing": "yellow"}


@click.command()
@click.argument("text", nargs=-1)
@click.option("--sender-domain", metavar="NAME", help="The envelope sender's domain, to tell it from a link's.")
@click.pass_context
def reply(context: click.Context, text: tuple[str, ...], sender_domain: str | None) -> None:
    """Say what a remote's refusal means.

    Each TEXT is one refusal; with none (or -) they are read from standard input, one per line.
    """
    # Imported here so that the other verbs start without reading the rules.
    from outwarden.sources.refusals import classify_cached

    as_json = bool((context.obj or {}).get("json", False))
    domain = sender_domain.lower() if sender_domain else None
    if not text and sys.stdin.isatty():
        raise click.UsageError("Give a refusal's text, or pipe them in, one per line.")
    for one in _texts(text):
        refusal = classify_cached(one, domain)
        click.echo(_as_json(refusal) if as_json else _in_words(refusal))


def _texts(arguments: tuple[str, ...]) -> Iterator[str]:
    if arguments and arguments != ("-",):
        yield from arguments
        return
    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text.strip():
            yield text


def _as_json(refusal: Refusal) -> str:
    import msgspec

    return msgspec.json.encode(refusal).decode()


def _in_words(refusal: Refusal) -> str:
    """Return a line or two for people, in colour where standard output is a terminal (click sees to that)."""
    from outwarden.cli.rendering import plain

    kind = "permanent" if refusal.permanent else "passing"
    facts = [
        f"{name} {value}"
        for name, value in (
            ("list", refusal.list),
            ("listed", refusal.listed and plain(refusal.listed)),
            ("from", refusal.provider),
            ("status", refusal.status),
        )
        if value
    ]
    title = click.style(str(refusal.refusal_class), fg=_COLOURS[kind], bold=True)
    return f"{title}  {kind}" + "".join(f"  {fact}" for fact in facts) + f"\n    {plain(refusal.text)}"
