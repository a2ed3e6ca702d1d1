"""``outwarden authentication``: how a domain proves that its mail is its own, and the records to publish."""

from ipaddress import ip_address
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.rendering import print_json
from outwarden.cli.settings_option import configuration, settings_in_words

if TYPE_CHECKING:
    from outwarden.authentication.dkim_canonical import Message
    from outwarden.authentication.domain_checks import Own
    from outwarden.authentication.domain_names import Address
    from outwarden.authentication.report import DomainReport
    from outwarden.dns.resolver import Resolver
    from outwarden.service.settings import Configuration

_LONGEST_MESSAGE = 50_000_000


@click.command(epilog="Exit code: 0 checked, whatever was found; 1 could not ask; 2 usage; 78 configuration.")
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1)
@click.option("--address", "addresses", metavar="IP", multiple=True, help="An outbound address of ours; repeatable.")
@click.option("--selector", "selectors", metavar="S", multiple=True, help="A DKIM selector; repeatable.")
@click.option("--helo", metavar="NAME", help="The name with which our server greets.")
@click.option("--message", "message_file", metavar="FILE", help="A message that we sent: its signatures are checked.")
@click.option("--resolver", "resolver_name", metavar="HOST[:PORT]", help="Ask this one, not the configured one.")
@click.option("--probe-mailboxes", is_flag=True, help="Ask the mail exchanger whether abuse@ and postmaster@ exist.")
@click.option("--probe-certificates", is_flag=True, help="Compare TLSA records with what each mail exchanger shows.")
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
    probe_certificates: bool,
) -> None:
    """Check SPF, DKIM, DMARC and the rest of each DOMAIN, and say what to publish.

    Nothing is changed.  A check that could not ask says "unknown" and never "missing".  Without DOMAIN the
    configured domains are checked; the addresses, selectors and HELO name that are not given are the configured ones.
    """
    settings = configuration(context.obj)
    names = [_domain(text) for text in domains] or _own_domains(settings)
    if not names:
        raise click.UsageError("Missing argument 'DOMAIN...', and no domains are configured: [site] domains.", context)
    own = _own(
        tuple(_address(text) for text in addresses),
        _domain(helo) if helo is not None else None,
        selectors,
        _message(message_file) if message_file is not None else None,
        settings,
    )
    resolvers = _resolvers(resolver_name, settings)
    for name in names:
        _show(_check(name, own, resolvers, Probes(probe_mailboxes, probe_certificates)), context.obj)


class Probes(NamedTuple):
    """What a mail exchanger is asked beyond the DNS, where the operator wants that."""

    mailboxes: bool
    certificates: bool


def _own_domains(settings: "Configuration") -> list[str]:
    from outwarden.service.own_names import watched

    with settings_in_words():
        watched(settings)
    return list(dict.fromkeys(_domain(text) for text in settings.settings.site.domains))


def _own(
    addresses: "tuple[Address, ...]",
    helo: str | None,
    selectors: tuple[str, ...],
    message: "Message | None",
    settings: "Configuration",
) -> "Own":
    """Return what is known of our sending side: what was given, and where nothing was, what is configured."""
    from outwarden.authentication.domain_checks import Own
    from outwarden.service.own_sending import own_addresses, own_helo

    with settings_in_words():
        return Own(
            addresses or own_addresses(settings),
            own_helo(settings) if helo is None else helo,
            selectors or settings.settings.site.dkim_selectors,
            message,
            assumed=not (addresses or helo or selectors or message),
        )


def _check(domain: str, own: "Own", resolvers: "tuple[Resolver, ...]", probes: Probes) -> "DomainReport":
    from outwarden.authentication.certificate_probe import StartTlsProbe
    from outwarden.authentication.domain_checks import Reaching, check_domain
    from outwarden.authentication.mailbox_probe import SmtpMailboxProbe
    from outwarden.authentication.policy_fetch import HttpsPolicyFetcher
    from outwarden.authentication.records import DnsRecords

    records = DnsRecords([(resolver.address, resolver.port) for resolver in resolvers])
    reaching = Reaching(
        HttpsPolicyFetcher(records),
        SmtpMailboxProbe(records, own.helo or domain) if probes.mailboxes else None,
        StartTlsProbe(records, own.helo or domain) if probes.certificates else None,
    )
    report = check_domain(domain, own, records, reaching, int(time()))
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


def _resolvers(text: str | None, settings: "Configuration") -> "tuple[Resolver, ...]":
    from outwarden.dns.resolver import UnusableResolver, parse, system_resolvers
    from outwarden.service.own_lists import own_resolver

    try:
        if text is not None:
            return (parse(text),)
        with settings_in_words():
            return (own_resolver(settings),) if settings.settings.dns.resolver else system_resolvers()
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
