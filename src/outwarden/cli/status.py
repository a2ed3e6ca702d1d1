"""``outwarden status``: one screen from the running service."""

from pathlib import Path
from typing import Any

import click

from outwarden.cli.asking import ask_service
from outwarden.cli.failure import WrongArgument
from outwarden.cli.rendering import harmless_json


@click.command(
    epilog="Exit code: 0 answered, whatever the answer; 1 could not, 2 usage, 4 not allowed, 5 the service is not "
    "there, 78 the configuration cannot be used."
)
@click.option("--filter", "of_filter", is_flag=True, help="What the filter missed, and what it stopped wrongly.")
@click.option("--metrics", is_flag=True, help="All counts as OpenMetrics text.")
@click.option("--out", metavar="FILE", help="With --metrics: write them there, as a whole or not at all.")
@click.pass_context
def status(context: click.Context, of_filter: bool, metrics: bool, out: str | None) -> None:
    """Is this server sending spam, who, what was done by itself, and what waits for me?  Asks the running service."""
    options: dict[str, Any] = context.obj
    if metrics:
        _tell_metrics(options, out)
        return
    if out is not None:
        raise WrongArgument("--out goes with --metrics")
    answer = ask_service(options, "status.filter" if of_filter else "status", {})
    if options["json"]:
        from msgspec.json import encode

        click.echo(harmless_json(encode(answer)))
        return
    lines = _filter_lines(answer, options) if of_filter else _lines(answer, options)
    click.echo("\n".join(lines[:1] if options["quiet"] else lines))


def _tell_metrics(options: dict[str, Any], out: str | None) -> None:
    from msgspec import convert

    from outwarden.cli.metrics import open_metrics
    from outwarden.cli.output_file import write_whole
    from outwarden.detection.filter_report import FilterReport
    from outwarden.service.control.status import Status

    text = open_metrics(
        convert(ask_service(options, "status", {}), Status),
        convert(ask_service(options, "status.filter", {}), FilterReport),
    )
    if out is None:
        click.echo(text, nl=False)
    else:
        write_whole(Path(out), [text])


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
