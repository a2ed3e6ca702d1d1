"""``outwarden demo``: the log of a sample day, to see what ``check`` says without a log of one's own."""

from pathlib import Path

import click


@click.command(epilog="Then ask: outwarden check sample-mail.log")
@click.option("--seed", default=1, show_default=True, metavar="N", help="Another number makes another day.")
@click.option(
    "--out",
    default=Path("sample-mail.log"),
    show_default=True,
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Where to write it; - for standard output.",
)
@click.pass_context
def demo(context: click.Context, seed: int, out: Path) -> None:
    """Write the mail log of an invented provider's bad day.

    A stolen account is in it, and a newsletter, a forwarder, a mailing list and somebody back
    from holiday, who look like one and are none.
    """
    from outwarden.cli.output_file import write_whole
    from outwarden.cli.sample_day import sample_day

    if str(out) == "-":
        for line in sample_day(seed):
            click.echo(line, nl=False)
        return
    lines = list(sample_day(seed))
    write_whole(out, lines)
    if not context.obj["quiet"]:
        click.echo(f"{out}: {len(lines):,} lines; now ask: outwarden check {out}", err=True)
