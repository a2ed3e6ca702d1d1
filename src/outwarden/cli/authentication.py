"""``outwarden authentication``: how a domain proves that its mail is its own, and the records to publish."""

from ipaddress import ip_address
from time import time
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.rendering import print_json

if TYPE_CHECKING:
    from outwarden.authentication.dkim_canonical import Message
    from outwarden.authentication.domain_checks import Own
    from outwarden.authentication.domain_names import Address
    from outwarden.authentication.report import DomainReport
    from outwarden.dns.resolver import Resolver

_LONGEST_MESSAGE = 50_000_000


@click.command(epilog="Exit code: 0 checked, whatever was found; 1 could not ask; 2 the command line is wrong.")
@click.argument("domains", metavar="DOMAIN...", nargs=-1, required=True)
@click.option("--address", "addresses", metavar="IP", multiple=True, help="An outbound address of ours; repeatable.")
@click.option("--selector", "selectors", metavar="S", multiple=True, help="A DKIM selector; repeatable.")
@click.option("--helo", metavar="NAME", help="The name with which our server greets.")
@click.option("--message", "message_file", metavar="FILE", help="A message that we sent: its signatures are checked.")
@click.option("--resolver", "resolver_name", metavar="HOST[:PORT]", help="Ask this resolver, not the system's.")
@click.option("--probe-mailboxes", is_flag=True, help="Ask the mail exchanger whether abuse@ and postmaster@ exist.")
@click.pass_context
def authentication(
    context: click.Context,
    domains: tuple[str, ...],
    addresses: tuple[str, ...],
    selectors: tuple[str, ...],
    helo: str | None,
    message_file: str | None,
    resolver_name: str | None,
    probe_mailboxes: bool,
) -> None:
    """Check SPF, DKIM, DMARC and the rest of each DOMAIN, and say what to publish.

    Nothing is changed.  A check that could not ask says "unknown" and never "missing".
    """
    from outwarden.authentication.domain_checks import Own

    names = [_domain(text) for text in domains]
    own = Own(
        tuple(_address(text) for text in addresses),
        _domain(helo) if helo is not None else None,
        tuple(selectors),
        _message(message_file) if message_file is not None else None,
    )
    resolvers = _resolvers(resolver_name)
    for name in names:
        _show(_check(name, own, resolvers, probe_mailboxes), context.obj)


def _check(domain: str, own: "Own", resolvers: "tuple[Resolver, ...]", probe_mailboxes: bool) -> "DomainReport":
    from outwarden.authentication.domain_checks import Reaching, check_domain
    from outwarden.authentication.mailbox_probe import SmtpMailboxProbe
    from outwarden.authentication.policy_fetch import HttpsPolicyFetcher
    from outwarden.authentication.records import DnsRecords

    records = DnsRecords([(resolver.address, resolver.port) for resolver in resolvers])
    probe = SmtpMailboxProbe(records, own.helo or domain) if probe_mailboxes else None
    report = check_domain(domain, own, records, Reaching(HttpsPolicyFetcher(records), probe), int(time()))
    if not records.ever_answered:
        asked = ", ".join(str(resolver) for resolver in resolvers)
        raise CouldNot(f"{domain}: no answer from the resolver {asked}; name another with --resolver HOST[:PORT]")
    return report


def _domain(text: str) -> str:
    from outwarden.authentication.domain_names import MalformedDomain, parse_domain

    try:
        return parse_domain(text)
    except MalformedDomain as fault:
        raise WrongArgument(f"{text!r} {fault}") from None


def _address(text: str) -> "Address":
    try:
        return ip_address(text)
    except ValueError:
        raise WrongArgument(f"--address {text!r} is no IPv4 or IPv6 address; a network cannot be checked") from None


def _message(name: str) -> "Message":
    from outwarden.authentication.dkim_canonical import read_message

    try:
        with click.open_file(name, "rb") as file:
            raw = file.read(_LONGEST_MESSAGE + 1)
    except OSError as fault:
        raise CouldNot(f"{name}: {fault.strerror}; give a message as it was received, headers and all") from None
    if len(raw) > _LONGEST_MESSAGE:
        raise CouldNot(f"{name}: longer than 50 MB; give one message, not a mailbox")
    message = read_message(raw)
    if not message.fields:
        raise CouldNot(f"{name}: no message: it begins with no header field")
    return message


def _resolvers(text: str | None) -> "tuple[Resolver, ...]":
    from outwarden.dns.resolver import UnusableResolver, parse, system_resolvers

    try:
        return system_resolvers() if text is None else (parse(text),)
    except UnusableResolver as fault:
        raise (CouldNot if text is None else WrongArgument)(str(fault)) from None


def _show(report: "DomainReport", options: dict[str, Any]) -> None:
    if options["json"]:
        print_json({"domain": report.domain, "verdict": report.verdict, "checks": report.checks})
        return
    from outwarden.cli.authentication_report import headline, report_lines

    if options["quiet"]:
        click.echo(headline(report))
    else:
        click.echo("\n".join(report_lines(report, verbose=options["verbose"])) + "\n")
