"""The root command: which verbs there are, the options they share, and how every run ends.

Start-up counts, because monitors run this each minute: a verb is imported when it is called,
and ``--help`` and ``--version`` import nothing but click.

Promises about the end of a run: one clear line instead of a traceback, silence when the reader
of our output goes away or the operator presses Ctrl-C, and for the verbs that a monitor calls
nothing but 0 to 3, so that a mistyped option cannot be taken for a verdict.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from outwarden import __version__

VERBS = {
    "check": ("outwarden.cli.check:check", "Is this server sending spam? Who, since when, why, what next."),
    "logs": ("outwarden.cli.logs:logs", "Who submitted what, and what became of it, per account."),
    "reply": ("outwarden.cli.reply:reply", "What a remote's refusal means."),
    "read": ("outwarden.cli.read:read", "What a message is, and which account of ours it comes from."),
    "blocklists": ("outwarden.cli.blocklists:blocklists", "On which lists addresses and domains are; what it means."),
    "authentication": (
        "outwarden.cli.authentication:authentication",
        "SPF, DKIM, DMARC and the rest: what to publish.",
    ),
    "takedown": ("outwarden.cli.takedown:takedown", "Who answers for an address or domain, and the report to them."),
    "takedowns": ("outwarden.cli.takedowns:takedowns", "The reports that were sent, what became of each, the answers."),
    "pause": ("outwarden.cli.pause:pause", "Stop what leaves: the whole server, an account, a destination."),
    "resume": ("outwarden.cli.resume:resume", "Take a pause back, and let what waited leave."),
    "queue": ("outwarden.cli.queue:queue", "The outbound queue: list it, who fills it; hold, release, delete."),
    "status": (
        "outwarden.cli.status:status",
        "One screen from the running service: spam? who, what was done, what waits.",
    ),
    "account": ("outwarden.cli.account:account", "How an account stands and why; block it, give it back, its history."),
    "replay": (
        "outwarden.cli.replay:replay",
        "Play past mail to a policy: who would have been stopped, why, at what cost.",
    ),
    "case": ("outwarden.cli.case:case", "The desk: cases, what was found and done; note, assign, resolve, reopen."),
    "playbook": ("outwarden.cli.playbook:playbook", "What is asked for in which case: list, check, draw, try dry."),
    "delisting": ("outwarden.cli.delisting:delisting", "The way off each list: what is to do, and when to ask."),
    "alarms": ("outwarden.cli.alarms:alarms", "What people were told, by which channel; take one up, try a channel."),
    "monitor": ("outwarden.cli.monitor:monitor", "Checks for Nagios or Icinga, with perfdata."),
    "run": ("outwarden.cli.run:run", "The service: watch the blocklists, and say when a listing begins and ends."),
    "mark": ("outwarden.cli.mark:mark", "The signed mark in what leaves: make a key for it, or read one."),
    "notice": ("outwarden.cli.notice:notice", "What owners of accounts are told: preview it, check your own texts."),
    "audit": ("outwarden.cli.audit:audit", "Who did what, when and why; is the log of it whole."),
    "config": ("outwarden.cli.config:config", "The configuration: check it, show what holds, print its schema."),
    "demo": ("outwarden.cli.demo:demo", "Write a sample day of an invented provider to try check on."),
    "completion": ("outwarden.cli.completion:completion", "Print the completion script for bash, zsh or fish."),
}
"""Verb: where it lives, and its line in ``--help``."""

MONITORED = frozenset({"check", "monitor"})
"""Verbs whose exit code a monitor reads: 0 fine, 1 warning, 2 critical, 3 unknown."""

_COMPLETION_VARIABLE = "_OUTWARDEN_COMPLETE"
_INTERRUPTED = 130  # 128 + SIGINT, what a shell reports for Ctrl-C.
_PIPE_CLOSED = 141  # 128 + SIGPIPE.


def shared_options() -> list[click.Parameter]:
    """Return the options that may stand before the verb as well as after it."""
    return [
        click.Option(
            ["--config"],
            metavar="FILE",
            expose_value=False,
            callback=_remember,
            help="Read this configuration instead of /etc/outwarden/outwarden.toml.",
        ),
        click.Option(
            ["--json"], is_flag=True, expose_value=False, callback=_remember, help="Print JSON instead of text."
        ),
        click.Option(
            ["--no-color"], is_flag=True, expose_value=False, callback=_without_colors, help="No colours; NO_COLOR too."
        ),
        click.Option(
            ["-q", "--quiet"], is_flag=True, expose_value=False, callback=_remember, help="Only the answer itself."
        ),
        click.Option(
            ["-v", "--verbose"], is_flag=True, expose_value=False, callback=_remember, help="Everything that is known."
        ),
    ]


def _remember(context: click.Context, option: click.Parameter, given: Any) -> None:  # noqa: ANN401 (click's own type)
    # The same option may stand before and after the verb: only a given one says anything.
    if given and option.name:
        context.ensure_object(dict)[option.name] = given


def _without_colors(context: click.Context, _option: click.Parameter, given: bool) -> None:
    if given or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        context.color = False


class Verbs(click.Group):
    """A group that knows its verbs by name and imports one only to run it."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401
    ) -> click.Context:
        """Give every run the shared options at their defaults."""
        given = extra.pop("obj", None) or {}
        defaults = {"config": None, "json": False, "quiet": False, "verbose": False}
        return super().make_context(info_name, args, parent, obj=defaults | given, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which they are met."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb and give it the shared options too."""
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        _share_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which verb was perhaps meant."""
        if args[0] not in VERBS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            ctx.fail(f"There is no verb {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs of ``--help`` without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete verbs without importing them, and our own options."""
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(verb, help=line) for verb, (_, line) in VERBS.items() if verb.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)


def _share_options(command: click.Command) -> None:
    own = {option for parameter in command.params for option in parameter.opts}
    command.params.extend(option for option in shared_options() if own.isdisjoint(option.opts))
    if isinstance(command, click.Group):
        for part in command.commands.values():
            _share_options(part)


root = Verbs(
    name="outwarden",
    params=shared_options(),
    subcommand_metavar="VERB ...",
    help="Tell whether this mail server is sending spam, who, since when and why.",
    epilog="outwarden VERB --help explains a verb.  Begin with: outwarden check /var/log/mail.log",
)
click.version_option(__version__, message="outwarden %(version)s")(root)


def main() -> NoReturn:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, not a traceback from us.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    if instruction := os.environ.get(_COMPLETION_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, "outwarden", _COMPLETION_VARIABLE, instruction)
    verb = next((word for word in arguments if word in VERBS), "")
    code, silent = _run_verb(arguments)
    if not silent:
        return code
    return 3 if verb in MONITORED and code not in (_INTERRUPTED, _PIPE_CLOSED) else code


def _run_verb(arguments: Sequence[str]) -> tuple[int, bool]:
    """Return the exit code, and whether it comes from a failure and not from the verb's answer."""
    try:
        try:
            with root.make_context("outwarden", list(arguments)) as context:
                root.invoke(context)
            code = 0
        except click.exceptions.Exit as leaving:
            code = leaving.exit_code
        sys.stdout.flush()
        return code, False
    except click.ClickException as fault:
        fault.show()
        return fault.exit_code, True
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED, True
    except BrokenPipeError:
        # What is still in the buffer must not be written to the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED, True
    except Exception as fault:  # noqa: BLE001 (a fault of ours must not look like a verdict to a monitor)
        _own_up(fault, "-v" in arguments or "--verbose" in arguments)
        return 1, True


def _own_up(fault: Exception, verbose: bool) -> None:
    if verbose:
        import traceback

        traceback.print_exception(fault)
    click.echo(
        f"outwarden: a fault of Outwarden itself ({type(fault).__name__}); run again with -v and report what it prints",
        err=True,
    )
