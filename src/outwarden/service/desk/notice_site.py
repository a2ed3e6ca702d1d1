"""What the settings say about notices: who writes, in which words, by which server and gateway, how many at most.

Every mistake is a ``ConfigurationError`` before anything is sent.
"""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from outwarden.responses.notices.bounce_address import BounceAddresses, UnusablePattern
from outwarden.responses.notices.facts import Place
from outwarden.responses.notices.guards import Caps
from outwarden.responses.notices.letter import Templates
from outwarden.responses.notices.message import Letterhead, Unaddressable, usable_address
from outwarden.responses.notices.texts import UnusableTemplates, load_templates
from outwarden.responses.notices.webhook import UnusableWebhook, Webhook, check_webhook
from outwarden.service.desk.own_addresses import TOKEN, own_addresses
from outwarden.service.mark_keys import mark_keys
from outwarden.service.settings import Configuration
from outwarden.sources.message.mark import MarkKeys, read_keys
from outwarden.store.link_tokens import LinkKeys


class Gateway(NamedTuple):
    """Who sends text messages, and the secret he wants."""

    webhook: Webhook
    secret: str


class NoticeSite(NamedTuple):
    """How notices of this site are written and sent; None for what is not set up."""

    head: Letterhead
    place: Place
    templates: Templates
    zone: tzinfo
    host: str
    port: int
    caps: Caps
    bounces: BounceAddresses | None
    mark_keys: MarkKeys | None
    link_keys: LinkKeys | None
    link_url: str
    gateway: Gateway | None
    ours: tuple[str, ...]


def notice_site(configuration: Configuration) -> NoticeSite | None:
    """Return how notices are sent, None where none are.  Raises ``ConfigurationError``."""
    settings = configuration.settings.notices
    gateway = _gateway(configuration)
    if not settings.from_address:
        for key in ("bounce_address", "link_url", "text_messages"):
            if getattr(settings, key):
                raise configuration.wrong(f"notices.{key}", "no notices are sent; write notices.from_address as well")
        return None
    for key in ("from_address", "reply_to"):
        _usable(configuration, key, getattr(settings, key))
    host, port = _server(configuration, settings.smtp)
    secret_keys = _keys(configuration)
    caps = Caps(
        to_address_a_day=settings.to_address_a_day,
        about_account_a_day=settings.about_account_a_day,
        of_kind_about_account_a_day=settings.of_kind_about_account_a_day,
        altogether_an_hour=settings.altogether_an_hour,
    )
    return NoticeSite(
        Letterhead(name=settings.from_name, address=settings.from_address, reply_to=settings.reply_to),
        _place(configuration), _templates(configuration), _zone(configuration), host, port, caps,
        _bounces(configuration, secret_keys), mark_keys(configuration), _link_keys(configuration, secret_keys),
        settings.link_url, gateway, own_addresses(configuration),
    )  # fmt: skip


def _place(configuration: Configuration) -> Place:
    settings = configuration.settings.notices
    for key in ("password_page", "second_factor_page"):
        _https(configuration, key, getattr(settings, key))
    return Place(
        organisation=settings.organisation or settings.from_name or settings.from_address.rpartition("@")[2],
        contact=settings.contact or configuration.settings.acting.contact,
        password_page=settings.password_page,
        second_factor_page=settings.second_factor_page,
    )


def _usable(configuration: Configuration, key: str, address: str) -> None:
    try:
        if address:
            usable_address(address)
    except Unaddressable as fault:
        raise configuration.wrong(f"notices.{key}", f"{fault}; write notices@isp.example") from None


def _https(configuration: Configuration, key: str, url: str) -> None:
    if url and not (url.startswith("https://") and url.isprintable() and " " not in url):
        raise configuration.wrong(f"notices.{key}", f"{url!r} is no https address; write https://my.isp.example/page")


def _server(configuration: Configuration, text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise configuration.wrong("notices.smtp", f"{text!r} is not HOST:PORT; write 127.0.0.1:25")
    return host.strip("[]"), int(port)


def _keys(configuration: Configuration) -> list[bytes]:
    named = configuration.settings.mark.keys_file
    # What is wrong with the file says ``mark_keys``.
    if not named or mark_keys(configuration) is None:
        return []
    return read_keys(configuration.secrets("mark", {"keys_file": named})["keys"])


def _bounces(configuration: Configuration, keys: list[bytes]) -> BounceAddresses | None:
    pattern = configuration.settings.notices.bounce_address
    if not pattern:
        return None
    if not keys:
        raise configuration.wrong("notices.bounce_address", "it needs a key; name a file of keys as mark.keys_file")
    try:
        return BounceAddresses(pattern, keys)
    except UnusablePattern as fault:
        raise configuration.wrong("notices.bounce_address", f"{pattern!r}: {fault}") from None


def _link_keys(configuration: Configuration, keys: list[bytes]) -> LinkKeys | None:
    url = configuration.settings.notices.link_url
    if not url:
        return None
    _https(configuration, "link_url", url)
    if url.count(TOKEN) != 1:
        raise configuration.wrong("notices.link_url", f"{url!r}: write {TOKEN} once where the token stands")
    if not keys:
        raise configuration.wrong("notices.link_url", "it needs a key; name a file of keys as mark.keys_file")
    return LinkKeys(keys)


def _templates(configuration: Configuration) -> Templates:
    folder = configuration.settings.notices.texts
    try:
        return load_templates(Path(folder) if folder else None)
    except UnusableTemplates as wrong:
        more = f" ({len(wrong.faults) - 1} more: outwarden notice check {folder})" if wrong.faults[1:] else ""
        raise configuration.wrong("notices.texts", f"{wrong.faults[0]}{more}") from None


def _zone(configuration: Configuration) -> tzinfo:
    name = configuration.settings.notices.time_zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise configuration.wrong(
            "notices.time_zone", f"no time zone is called {name!r}; write one like Europe/Rome"
        ) from None


def _gateway(configuration: Configuration) -> Gateway | None:
    settings = configuration.settings.notices
    if not settings.text_messages:
        if settings.text_messages_secret_file:
            raise configuration.wrong(
                "notices.text_messages_secret_file", "no gateway is set up; write [notices.text_messages]"
            )
        return None
    try:
        webhook = msgspec.convert(settings.text_messages, Webhook)
        check_webhook(webhook)
    except (msgspec.ValidationError, UnusableWebhook) as fault:
        raise configuration.wrong("notices.text_messages", str(fault)) from None
    named = settings.text_messages_secret_file
    secret = configuration.secrets("notices", {"text_messages_secret_file": named}) if named else {}
    return Gateway(webhook, secret.get("text_messages_secret", ""))
