"""``outwarden mark``: make a key for the mark, and read a mark that somebody quotes."""

import click

from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import BadConfiguration, configuration, settings_in_words


class NotOurs(CouldNot):
    """What was given is no mark of ours."""

    exit_code = 3


@click.group(epilog="Exit code: 0 done, 2 usage, 3 no mark of ours, 78 the configuration cannot be used.")
def mark() -> None:
    """The signed mark in what leaves: make a key for it, or read one."""


@mark.command("new-key")
def mark_new_key() -> None:
    """Print a new key, one line of a keys file."""
    from outwarden.service.mark_keys import new_key

    click.echo(new_key())


# A piece of a folded mark may begin with a hyphen.
@mark.command("read", context_settings={"ignore_unknown_options": True})
@click.argument("token", metavar="TOKEN...", nargs=-1, required=True)
@click.pass_context
def mark_read(context: click.Context, token: tuple[str, ...]) -> None:
    """Say what a mark says; the pieces of a folded one may be given as they are."""
    from outwarden.service.mark_keys import mark_keys
    from outwarden.sources.message.mark import read_mark

    with settings_in_words():
        keys = mark_keys(configuration(context.obj))
    if keys is None:
        raise BadConfiguration("no keys are known; name the file of the mark's keys: [mark] keys_file = PATH")
    marked = read_mark(keys, " ".join(token))
    if marked is None:
        raise NotOurs("no mark of ours: forged, cut, changed, or made with a key that is gone")
    if context.obj["json"]:
        print_json({"account": marked.account, "host": marked.host, "marked_at": marked.at})
    else:
        click.echo(plain(f"handed in by {marked.account} on {marked.host} at {marked.at:%Y-%m-%d %H:%M:%S} UTC"))
