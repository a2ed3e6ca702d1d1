"""``outwarden takedown``: who answers for an address or a domain, and the report to them."""

import os
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from outwarden.cli.acting import asked_by
from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import configuration, settings_in_words

if TYPE_CHECKING:
    from outwarden.dns.abuse_report import Evidence, Report
    from outwarden.dns.contacts.contact import Contact
    from outwarden.dns.contacts.names import Names
    from outwarden.dns.contacts.own_table import OwnTable
    from outwarden.dns.contacts.search import Answerers
    from outwarden.service.settings import Configuration

Target = IPv4Address | IPv6Address | str

_DNS_SECONDS = 2.0
_NOBODYS = tuple(ip_network(text) for text in "10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.168.0.0/16 fc00::/7".split())
_SOURCES = {
    "own-table": "own table",
    "rdap": "RDAP",
    "contact-zone": "contact zone",
    "as": "RDAP of the AS",
    "role-mailbox": "role mailbox",
}


class WrongArgument(CouldNot):
    """The command line is wrong, in one line; exit 2."""

    exit_code = 2


class WrongTable(CouldNot):
    """The table of contacts has a mistake; exit 78, as for all configuration."""

    exit_code = 78


@click.command(
    epilog="Exit code: 0 somebody answers for it, or it was sent; 1 could not; 2 the command line is wrong; 3 nobody "
    "was found; 4 refused; 5 the store cannot be used; 78 the table of contacts or the configuration has a mistake."
)
@click.argument("target", metavar="ADDRESS|DOMAIN")
@click.option("--dry-run", is_flag=True, help="Only show to whom what would be sent.")
@click.option("--send", is_flag=True, help="Send it, to the first of them; once for an incident.")
@click.option("--again", is_flag=True, help="Send it although this target was reported within a week.")
@click.option("--evidence", "evidence_file", metavar="FILE", help="Log lines, or a message as it was received.")
@click.option("--contacts", "contacts_file", metavar="FILE", help="Our own table of contacts, and who we are (TOML).")
@click.option("--resolver", "resolver_name", metavar="HOST[:PORT]", help="Ask this one, not the configured one.")
@click.option("--offline", is_flag=True, help="Ask nobody: our own table, and answers kept from before.")
@click.pass_context
def takedown(
    context: click.Context,
    target: str,
    dry_run: bool,
    send: bool,
    again: bool,
    evidence_file: str | None,
    contacts_file: str | None,
    resolver_name: str | None,
    offline: bool,
) -> None:
    """Say who answers for an address or a domain, in which order, and show the report to them, or send it.

    Without --send nothing is sent; outwarden takedowns shows what was.
    """
    if send and dry_run:
        raise WrongArgument("--send and --dry-run exclude each other")
    asked_about = _target(target)
    settings = configuration(context.obj)
    table = _table(contacts_file, settings)
    evidence = _evidence(evidence_file, str(asked_about))
    if not (dry_run or send):
        raise WrongArgument("say --dry-run, to see to whom which report would go, or --send")
    if send and evidence is None:
        raise WrongArgument("--send wants --evidence FILE: a report without proof helps nobody")
    found = _search(asked_about, table, None if offline else _names(resolver_name, settings))
    from outwarden.dns.abuse_report import write_report

    if send and evidence is not None:
        _send(str(asked_about), found, evidence, table, settings, again, context.obj)
        return
    report = write_report(str(asked_about), table.reporter, evidence, str(uuid4()))
    _show(str(asked_about), found, report, context.obj)
    if _first(found) is None:
        context.exit(1 if found.could_not_ask else 3)


def _send(
    target: str,
    found: "Answerers",
    evidence: "Evidence",
    table: "OwnTable",
    settings: "Configuration",
    again: bool,
    options: dict[str, Any],
) -> None:
    from outwarden.cli.takedowns import show_sent, with_desk

    alive = [contact.email for contact in found.contacts if not contact.bounces]
    sent = with_desk(
        options,
        lambda desk: desk.report(target, evidence, alive, asked_by(), again=again),
        settings=settings,
        reporter=table.reporter,
    )
    show_sent(sent, options)


def _search(target: Target, table: "OwnTable", names: "Names | None") -> "Answerers":
    from outwarden.dns.contacts.https_pages import HttpsPages
    from outwarden.dns.contacts.page_cache import PageCache
    from outwarden.dns.contacts.rdap_registry import RdapRegistry
    from outwarden.dns.contacts.search import ContactSearch

    cache = PageCache(_cache_directory())
    registry = RdapRegistry(HttpsPages(names.addresses_of if names else None, cache), datetime.now(UTC))
    search = ContactSearch(table, registry, names)
    found = search.of_domain(target) if isinstance(target, str) else search.of_address(target)
    if cache.trouble is not None:
        click.echo(f"outwarden: {plain(cache.trouble)}", err=True)
    return found


def _cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "outwarden" / "registries"


def _target(text: str) -> Target:
    from outwarden.dns.targets import TargetKind, Targets, UnusableTarget

    try:
        read = Targets([text])
    except UnusableTarget as fault:
        raise WrongArgument(str(fault)) from None
    first = next(iter(read))
    if len(read) > 1 or ("/" in first.text and first.kind is not TargetKind.URL):
        raise WrongArgument(f"{text!r} is a network; name one address of it")
    if first.kind is TargetKind.URL:
        raise WrongArgument(f"{first.text!r} is a URL; name its host's domain or address")
    if first.kind is TargetKind.DOMAIN:
        return first.name
    address = ip_address(first.text)
    local = address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
    if local or any(address in network for network in _NOBODYS):
        raise WrongArgument(f"{address} is an address of a private or local network: nobody outside answers for it")
    return address


def _table(given: str | None, settings: "Configuration") -> "OwnTable":
    """Return the table that was given, or the configured one."""
    from outwarden.dns.contacts.own_table import MalformedTable, read_table
    from outwarden.service.takedown_table import LONGEST_TABLE, own_table

    if given is None:
        with settings_in_words():
            return own_table(settings)
    raw = _content(given, LONGEST_TABLE, "a table of contacts is smaller than that")
    try:
        return read_table(raw.decode("utf-8"))
    except (UnicodeDecodeError, MalformedTable) as fault:
        raise WrongTable(f"{given}: {fault}") from None


def _evidence(name: str | None, target: str) -> "Evidence | None":
    from outwarden.dns.abuse_report import LONGEST_EVIDENCE, MalformedEvidence, read_evidence

    if name is None:
        return None
    try:
        return read_evidence(_content(name, LONGEST_EVIDENCE, "give only the lines of one incident"), target)
    except MalformedEvidence as fault:
        raise CouldNot(f"{name}: {fault}") from None


def _content(name: str, longest: int, cure: str) -> bytes:
    try:
        with click.open_file(name, "rb") as file:
            raw: bytes = file.read(longest + 1)
    except OSError as fault:
        raise CouldNot(f"{name}: {fault.strerror}") from None
    if len(raw) > longest:
        raise CouldNot(f"{name}: longer than {longest // 1_000_000} MB; {cure}")
    return raw


def _names(resolver_name: str | None, settings: "Configuration") -> "Names":
    from outwarden.dns.contacts.names import Names
    from outwarden.dns.lookup import Lookup
    from outwarden.dns.resolver import UnusableResolver, parse
    from outwarden.service.own_lists import own_resolver

    try:
        with settings_in_words():
            resolver = own_resolver(settings) if resolver_name is None else parse(resolver_name)
    except UnusableResolver as fault:
        raise (CouldNot if resolver_name is None else WrongArgument)(str(fault)) from None
    return Names(Lookup(resolver, _DNS_SECONDS))


def _show(target: str, found: "Answerers", report: "Report", options: dict[str, Any]) -> None:
    if options["json"]:
        print_json(
            {
                "target": target,
                "contacts": found.contacts,
                "could_not_ask": found.could_not_ask,
                "remarks": found.remarks,
                "report": report,
            }
        )
        return
    lines = [_headline(target, found)]
    if not options["quiet"]:
        lines += _answerers(found, options["verbose"])
        if (first := _first(found)) is not None:
            lines += _letter(first, report, options["verbose"])
    click.echo("\n".join(plain(line) for line in lines))


def _first(found: "Answerers") -> "Contact | None":
    """Return who is written to: the first whose mailbox does not bounce."""
    return next((contact for contact in found.contacts if not contact.bounces), None)


def _headline(target: str, found: "Answerers") -> str:
    if (first := _first(found)) is not None:
        return f"{target}: write to {first.email}"
    if found.contacts:
        return f"{target}: every known contact bounces; a person has to look"
    if found.could_not_ask:
        return f"{target}: no contact found, but not everybody could be asked"
    return f"{target}: nobody was found who answers for it; a person has to look"


def _answerers(found: "Answerers", verbose: bool) -> list[str]:
    lines = []
    if found.contacts:
        lines += ["", "in this order, the next one when one bounces:"]
        width = max(len(contact.email) for contact in found.contacts)
        for number, contact in enumerate(found.contacts, start=1):
            state = "  (bounces)" if contact.bounces else ""
            source = f"{_SOURCES[contact.source]}, {contact.answers_for}"
            lines.append(f"{number:3}. {contact.email:<{width}}  {source}{state}")
    if found.could_not_ask:
        lines += ["", "could not ask:", *(f"     {line}" for line in found.could_not_ask)]
    if found.remarks and (verbose or not found.contacts):
        lines += ["", "also:", *(f"     {line}" for line in found.remarks)]
    return lines


def _letter(first: "Contact", report: "Report", verbose: bool) -> list[str]:
    lines = ["", "the report that would be sent:" if not report.missing else "the report, not yet fit to be sent:"]
    lines += [f"  lacks {lack}" for lack in report.missing]
    lines += ["", f"  To: {first.email}", f"  Subject: {report.subject}", ""]
    lines += [f"  {line}".rstrip() for line in report.text.splitlines()]
    if verbose:
        import json

        lines += ["", "  XARF:", *(f"  {line}" for line in json.dumps(report.xarf, indent=1).splitlines())]
    return lines
