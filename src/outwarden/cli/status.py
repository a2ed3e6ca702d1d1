"""``outwarden status``: one screen from the running service."""

from typing import Any

import click

from outwarden.cli.asking import ask_service
from outwarden.cli.rendering import harmless_json


@click.command(
    epilog="Exit code: 0 answered, whatever the answer; 1 could not, 2 usage, 4 not allowed, 5 the service is not "
    "there, 78 the configuration cannot be used."
)
@click.option("--filter", "of_filter", is_flag=True, help="What the filter missed, and what it stopped wrongly.")
@click.pass_context
def status(context: click.Context, of_filter: bool) -> None:
    """Is this server sending spam, who, what was done by itself, and what waits for me?  Asks the running service."""
    options: dict[str, Any] = context.obj
    answer = ask_service(options, "status.filter" if of_filter else "status", {})
    if options["json"]:
        from msgspec.json import encode

        click.echo(harmless_json(encode(answer)))
        return
    lines = _filter_lines(answer, options) if of_filter else _lines(answer, options)
    click.echo("\n".join(lines[:1] if options["quiet"] else lines))


def _lines(answer: Any, options: dict[str, Any]) -> list[str]:  # noqa: ANN401 (JSON)
    from msgspec import convert

    from outwarden.cli.log_options import screen
    from outwarden.cli.status_lines import status_lines
    from outwarden.service.control.status import Status

    return status_lines(convert(answer, Status), screen(options["verbose"]))


def _filter_lines(answer: Any, options: dict[str, Any]) -> list[str]:  # noqa: ANN401 (JSON)
    from msgspec import convert

    from outwarden.cli.filter_lines import filter_lines
    from outwarden.cli.log_options import screen
    from outwarden.detection.filter_report import FilterReport

    return filter_lines(convert(answer, FilterReport), screen(options["verbose"]))
