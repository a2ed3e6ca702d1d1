"""The settings: what can be set, how it is read, and where each value came from.

Works with none.  ``outwarden.toml``, then ``conf.d/*.toml`` beside it in the order of their names, then the
environment (``OUTWARDEN__SECTION__KEY``); what comes later wins, a list or value as a whole.  Secrets stand in files of
their own and are named by a key that ends in ``_file``; a name without a slash is a systemd credential.

A mistake is a ``ConfigurationError``: one line with file, line, key, what is wrong and what would do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from outwarden.service.alarm_settings import AlarmSettings
from outwarden.service.containment_settings import ContainmentSettings
from outwarden.service.desk_settings import CaseSettings, NoticeSettings, SubscriberSettings
from outwarden.service.settings_files import Mistake, Table, environment_tables, file_table, in_words, is_there, merged

DEFAULT_FILE = Path("/etc/outwarden/outwarden.toml")


class ConfigurationError(Exception):
    """A setting cannot be used; one line names file, line, key, the value and the cure."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file."""


class SiteSettings(_Section, frozen=True):
    """What is ours."""

    addresses: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="The addresses and networks (CIDR) that our mail leaves from, IPv4 and IPv6."),
    ] = ()
    domains: Annotated[
        tuple[str, ...], msgspec.Meta(description="The domains that we send mail for, and our servers' names.")
    ] = ()
    dkim_selectors: Annotated[
        tuple[str, ...], msgspec.Meta(description="The DKIM selectors that our mail is signed with.")
    ] = ()
    helo: Annotated[
        str, msgspec.Meta(description="The name with which our servers greet; empty where that is not to be checked.")
    ] = ""


class StoreSettings(_Section, frozen=True):
    """Where things are remembered."""

    path: Annotated[
        str,
        msgspec.Meta(
            min_length=1, description="The SQLite file; its folder is made, and alarms are handed over there."
        ),
    ] = "/var/lib/outwarden/outwarden.db"
    events_days: Annotated[
        int,
        msgspec.Meta(ge=1, le=3650, description="How long single messages and what became of them are kept, in days."),
    ] = 14
    hours_days: Annotated[
        int, msgspec.Meta(ge=1, le=3650, description="How long sums of 5 minutes and of an hour are kept, in days.")
    ] = 90
    days_days: Annotated[int, msgspec.Meta(ge=1, le=36500, description="How long sums of a day are kept, in days.")] = (
        800
    )


class DnsSettings(_Section, frozen=True):
    """How names are asked."""

    resolver: Annotated[
        str, msgspec.Meta(description="The resolver to ask, HOST[:PORT]; empty for the first of `/etc/resolv.conf`.")
    ] = ""
    deadline_seconds: Annotated[
        float, msgspec.Meta(gt=0, le=30, description="After so many seconds a question counts as not answered.")
    ] = 2.0


class BlocklistSettings(_Section, frozen=True):
    """Which lists are watched, and how often they are asked."""

    every_minutes: Annotated[
        int,
        msgspec.Meta(
            ge=5,
            le=1440,
            description="How often each of our addresses and domains is asked about, spread over this time.",
        ),
    ] = 60
    queries_per_second: Annotated[
        float,
        msgspec.Meta(
            gt=0, le=100, description="The most that any one list is asked; less where the catalogue says less."
        ),
    ] = 2.0
    catalogue: Annotated[
        str, msgspec.Meta(description="A catalogue file to use instead of the one shipped; empty for that.")
    ] = ""
    lists: Annotated[
        tuple[str, ...], msgspec.Meta(description="Ask only these lists, by id; empty for those asked by default.")
    ] = ()
    silenced: Annotated[tuple[str, ...], msgspec.Meta(description="Lists that are never asked, by id.")] = ()
    weights: Annotated[
        dict[str, str], msgspec.Meta(description="How much a list counts here, by id: major, minor, hobby or silent.")
    ] = {}
    added: Annotated[
        dict[str, dict[str, Any]],
        msgspec.Meta(
            description="Lists of your own, each a table as in the catalogue file; one of the same id is replaced."
        ),
    ] = {}
    keys: Annotated[
        dict[str, str],
        msgspec.Meta(
            description="Your keys, each in a file of its own: `spamhaus_file`, `abusix_file`, `spamrats_file`."
        ),
    ] = {}


class TakedownSettings(_Section, frozen=True):
    """To whom reports of abuse go."""

    contacts: Annotated[
        str,
        msgspec.Meta(description="Your own table of contacts, and who you are; `takedown --contacts` wins."),
    ] = ""
    smtp: Annotated[str, msgspec.Meta(description="The mail server that sends reports, `HOST:PORT`.")] = "127.0.0.1:25"
    bounces_to: Annotated[
        str,
        msgspec.Meta(description="The envelope sender of reports, to which bounces come; empty for the null sender."),
    ] = ""
    most_per_day: Annotated[
        int, msgspec.Meta(ge=0, le=1000, description="So many mails with reports are sent within a day at most.")
    ] = 20


class MailServerSettings(_Section, frozen=True):
    """The mail server that is paused."""

    kind: Annotated[
        Literal["", "postfix", "exim"],
        msgspec.Meta(description="Which one: `postfix` or `exim`; empty for the one that is installed."),
    ] = ""
    postfix_config: Annotated[
        str,
        msgspec.Meta(description="The folder of Postfix's main.cf, where there are several; empty for its default."),
    ] = ""


class LogSettings(_Section, frozen=True):
    """What is followed."""

    follow: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            description="The logs to follow, files or `journal`; empty for the mail server's own, wherever it writes."
        ),
    ] = ()
    queue_seconds: Annotated[
        int, msgspec.Meta(ge=10, le=3600, description="How often the queue is looked at, in seconds.")
    ] = 60


class JudgingSettings(_Section, frozen=True):
    """How accounts are judged."""

    policy: Annotated[
        str,
        msgspec.Meta(
            description="The policy: `company`, `university`, `hoster`, `isp`, or a file of your own; "
            "`outwarden replay` tries one."
        ),
    ] = "university"


class GateSettings(_Section, frozen=True):
    """Where the mail server asks before it takes a message in; an empty address is a door that stays shut."""

    milter: Annotated[
        str, msgspec.Meta(description="Where the milter listens: `unix:PATH` or `HOST:PORT`; a UNIX socket is faster.")
    ] = ""
    policy_service: Annotated[
        str, msgspec.Meta(description="Where Postfix's policy delegation is answered: `unix:PATH` or `HOST:PORT`.")
    ] = ""
    rspamd: Annotated[
        str,
        msgspec.Meta(
            description="Where Exim (`variant=rspamd`) and clients of rspamd are answered: `unix:PATH` or `HOST:PORT`."
        ),
    ] = ""
    readsocket: Annotated[
        str, msgspec.Meta(description="Where Exim's `${readsocket}` is answered: `unix:PATH` or `HOST:PORT`.")
    ] = ""
    group: Annotated[
        str, msgspec.Meta(description="The group that may speak to the UNIX sockets; empty for the service's own.")
    ] = ""
    undecided: Annotated[
        Literal["accept", "defer"],
        msgspec.Meta(
            description="What becomes of a message that could not be judged: `accept` it unseen, or `defer` it, so "
            "that whoever hands it in tries again."
        ),
    ] = "defer"
    deadline_milliseconds: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=10000,
            description="How long a message waits for answers of blocklists; late ones count for the next.",
        ),
    ] = 300
    lists: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="The blocklists asked about clients and links, by id; empty for those that fit."),
    ] = ()
    verdict_headers: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            description="Headers in which your content filter says what it thinks, such as `X-Spam-Flag`; only where "
            "it removes those that clients write themselves."
        ),
    ] = ()
    networks_file: Annotated[
        str,
        msgspec.Meta(
            description="Your table of networks, lines of `network,as,country`, by which a client's AS and country are "
            "known; empty where none is kept."
        ),
    ] = ""
    attachment_hashes_file: Annotated[
        str,
        msgspec.Meta(
            description="Your list of attachments that nobody is to send, their SHA-256 in hexadecimal digits, one a "
            "line; empty where none is kept."
        ),
    ] = ""
    spool: Annotated[
        str,
        msgspec.Meta(description="The folder for large messages while they are looked at; empty for the system's own."),
    ] = ""


class ActingSettings(_Section, frozen=True):
    """What is done by itself: `observe` only says what would be done, `ask` waits for a person, `act` does it."""

    hold: Annotated[
        Literal["observe", "ask", "act"],
        msgspec.Meta(description="An account's mail is held, and let out by probes."),
    ] = "observe"
    block: Annotated[
        Literal["observe", "ask", "act"],
        msgspec.Meta(description="An account may hand nothing in any more, and what waits of it is held."),
    ] = "observe"
    limit: Annotated[
        Literal["observe", "act"], msgspec.Meta(description="What is over a limit of the policy is deferred.")
    ] = "observe"
    holds_per_hour: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=10000,
            description="So many accounts are held by itself within an hour; beyond, a person is called.",
        ),
    ] = 30
    blocks_per_hour: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=10000,
            description="So many accounts are blocked by itself within an hour; beyond, a person is called.",
        ),
    ] = 10
    block_hours: Annotated[
        int,
        msgspec.Meta(ge=1, le=8760, description="A block that nobody renews ends after so many hours."),
    ] = 168
    contact: Annotated[
        str, msgspec.Meta(description="Whom the owner of an account may turn to, as refusals say it.")
    ] = "your postmaster"


class MarkSettings(_Section, frozen=True):
    """The signed mark in what leaves, by which bounces and complaints that come back name the account."""

    keys_file: Annotated[
        str, msgspec.Meta(description="The file of the mark's keys, one a line, the first signs; empty for no mark.")
    ] = ""
    feedback_id: Annotated[
        str, msgspec.Meta(description="The last part of a `Feedback-ID` header, your own name; empty for none.")
    ] = ""
    cfbl_address: Annotated[
        str, msgspec.Meta(description="The address of a `CFBL-Address` header (RFC 9477); empty for none.")
    ] = ""


class ControlSettings(_Section, frozen=True):
    """How the operator's commands reach the running service."""

    socket: Annotated[str, msgspec.Meta(description="The UNIX socket; empty for none.")] = "/run/outwarden/control.sock"
    group: Annotated[
        str, msgspec.Meta(description="The group that may use it, beside root; empty for the service's own.")
    ] = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    site: Annotated[SiteSettings, msgspec.Meta(description="What is ours.")] = SiteSettings()
    store: Annotated[StoreSettings, msgspec.Meta(description="Where things are remembered.")] = StoreSettings()
    dns: Annotated[DnsSettings, msgspec.Meta(description="How names are asked.")] = DnsSettings()
    blocklists: Annotated[
        BlocklistSettings, msgspec.Meta(description="Which lists are watched, and how often they are asked.")
    ] = BlocklistSettings()
    alarms: Annotated[AlarmSettings, msgspec.Meta(description="Who is told.")] = AlarmSettings()
    takedown: Annotated[TakedownSettings, msgspec.Meta(description="To whom reports of abuse go.")] = TakedownSettings()
    mail_server: Annotated[MailServerSettings, msgspec.Meta(description="The mail server that is paused.")] = (
        MailServerSettings()
    )
    logs: Annotated[LogSettings, msgspec.Meta(description="What is followed.")] = LogSettings()
    judging: Annotated[JudgingSettings, msgspec.Meta(description="How accounts are judged.")] = JudgingSettings()
    gate: Annotated[
        GateSettings,
        msgspec.Meta(
            description="Where the mail server asks before it takes a message in; an empty address is a door that "
            "stays shut."
        ),
    ] = GateSettings()
    acting: Annotated[
        ActingSettings,
        msgspec.Meta(
            description="What is done by itself: `observe` only says what would be done, `ask` waits for a person, "
            "`act` does it."
        ),
    ] = ActingSettings()
    subscribers: Annotated[
        SubscriberSettings, msgspec.Meta(description="Who answers for accounts, addresses and domains.")
    ] = SubscriberSettings()
    cases: Annotated[
        CaseSettings, msgspec.Meta(description="What is done about cases, by whose word, and how much of it.")
    ] = CaseSettings()
    notices: Annotated[NoticeSettings, msgspec.Meta(description="How those who answer for accounts are told.")] = (
        NoticeSettings()
    )
    accounts: Annotated[
        dict[str, dict[str, Any]],
        msgspec.Meta(
            description="Where the passwords of accounts are kept, each a table `[accounts.NAME]` with a `kind`."
        ),
    ] = {}
    containment: Annotated[ContainmentSettings, msgspec.Meta(description="How a stolen account is contained.")] = (
        ContainmentSettings()
    )
    mark: Annotated[
        MarkSettings,
        msgspec.Meta(
            description="The signed mark in what leaves, by which bounces and complaints that come back name the "
            "account."
        ),
    ] = MarkSettings()
    control: Annotated[
        ControlSettings, msgspec.Meta(description="How the operator's commands reach the running service.")
    ] = ControlSettings()


class Field(NamedTuple):
    """One setting for a page or a listing: ``default`` is TOML."""

    key: str
    default: object
    sentence: str


class Configuration:
    """The settings of this run, and where they came from."""

    def __init__(self, settings: Settings, tables: Sequence[Table], credentials: Path | None) -> None:
        self.settings = settings
        self.files = tuple(table.source for table in tables)
        self._tables = tables
        self._credentials = credentials

    def place(self, key: str) -> str | None:
        """Return ``FILE:LINE`` or the variable that set a key last, None where it has its default."""
        for table in reversed(self._tables):
            if table.has(key):
                return table.place(key)
        return None

    def wrong(self, key: str, what: str) -> ConfigurationError:
        """Return the error for a key whose value does not do."""
        place = self.place(key)
        return ConfigurationError(f"{place}: {key}: {what}" if place else f"{key}: {what}")

    def secrets(self, key: str, named: Mapping[str, str]) -> dict[str, str]:
        """Return what stands in the files of ``named`` (``NAME_file``: path).  Raises ``ConfigurationError``."""
        found = {}
        for name, path in named.items():
            if not name.endswith("_file"):
                cure = f"a secret stands in a file of its own; write {name}_file = PATH instead"
                raise self.wrong(f"{key}.{name}", cure)
            found[name.removesuffix("_file")] = self._secret(f"{key}.{name}", path)
        return found

    def _secret(self, key: str, path: str) -> str:
        file = Path(path)
        if "/" not in path:
            if self._credentials is None:
                raise self.wrong(
                    key,
                    f"{path!r} has no slash, so it is a systemd credential, and there are none; write the whole path",
                )
            file = self._credentials / path
        try:
            secret = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else "not UTF-8 text"
            raise self.wrong(key, f"{file}: {why}; name a file that the service can read") from None
        if not secret:
            raise self.wrong(key, f"{file} is empty; write the secret into it")
        return secret


def load(file: Path | None, environment: Mapping[str, str] | None = None) -> Configuration:
    """Read the settings; ``file`` None is the default file, which may be missing.  Raises ``ConfigurationError``."""
    environment = os.environ if environment is None else environment
    try:
        tables = list(_tables(file, environment))
        settings = msgspec.convert(merged(tables), Settings, strict=True)
    except Mistake as fault:
        raise ConfigurationError(str(fault)) from None
    folder = environment.get("CREDENTIALS_DIRECTORY")
    return Configuration(settings, tables, Path(folder) if folder else None)


def fields() -> Iterator[tuple[str, str, list[Field]]]:
    """Yield each section: its name, its sentence, its fields; but those whose keys the site names itself."""
    for section in msgspec.inspect.type_info(Settings).fields:  # type: ignore[attr-defined]
        inside = section.type.type
        if not isinstance(inside, msgspec.inspect.StructType):
            continue
        described = [
            Field(f"{section.name}.{each.name}", each.default, _sentence(each.type))
            if each.default is not msgspec.NODEFAULT
            else Field(f"{section.name}.{each.name}", each.default_factory(), _sentence(each.type))
            for each in inside.fields
        ]
        yield section.name, _sentence(section.type), described


def _sentence(described: msgspec.inspect.Type) -> str:
    return str((getattr(described, "extra_json_schema", None) or {}).get("description", ""))


def _tables(file: Path | None, environment: Mapping[str, str]) -> Iterator[Table]:
    main = file or DEFAULT_FILE
    parts = sorted((main.parent / "conf.d").glob("*.toml"))
    for each in (main, *parts):
        if each is main and file is None and not is_there(each):
            continue
        yield _checked(file_table(each))
    for table in environment_tables(environment, _fits):
        yield _checked(table)


def _fits(table: dict[str, Any]) -> bool:
    try:
        msgspec.convert(table, Settings, strict=True)
    except msgspec.ValidationError:
        return False
    return True


def _checked(table: Table) -> Table:
    """Return the table, each held against the settings by itself so that a mistake is told with its place."""
    try:
        msgspec.convert(table.content, Settings, strict=True)
    except msgspec.ValidationError as fault:
        raise Mistake(in_words(str(fault), table, known_keys())) from None
    return table


def known_keys() -> dict[str, tuple[str, ...]]:
    """Return the keys by section; those of ``""`` are the sections."""
    sections = {name: tuple(each.key.partition(".")[2] for each in inside) for name, _, inside in fields()}
    return {"": (*sections, "accounts"), **sections}
