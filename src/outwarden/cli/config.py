"""``outwarden config``: is the configuration right, what holds and from where, and what can be set."""

from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import configuration, settings_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outwarden.service.settings import Configuration


@click.group(epilog="Exit code: 0 done, 2 usage, 78 the configuration cannot be used.")
def config() -> None:
    """The configuration: check it, show what holds, or print its schema."""


@config.command("check")
@click.pass_context
def config_check(context: click.Context) -> None:
    """Say whether the service would start with it; nothing is asked and nothing is changed."""
    from outwarden.service.alarm_channels import checked
    from outwarden.service.containment.back_ends import places
    from outwarden.service.desk.notice_site import notice_site
    from outwarden.service.desk.site import desk_site
    from outwarden.service.live.beginning import policy_of, verdict_headers_of
    from outwarden.service.live.doors import endpoints
    from outwarden.service.mark_keys import mark_keys
    from outwarden.service.own_sending import own_helo
    from outwarden.service.takedown_table import reporter_of
    from outwarden.service.takedowns import takedown_site
    from outwarden.service.watch_list import WatchList

    found = configuration(context.obj)
    with settings_in_words():
        watch = WatchList(found, may_be_empty=True)
        own_helo(found)
        policy_of(found)
        verdict_headers_of(found)
        mark_keys(found)
        desk_site(found)
        notice_site(found)
        doors = endpoints(found)
        places(found)
        checked(found)
        takedown_site(found, reporter_of(found))
    read = ", ".join(found.files) or "no file"
    if context.obj["json"]:
        print_json(
            {
                "ok": True,
                "read": found.files,
                "targets": len(watch.targets),
                "lists": len(watch.catalogue.asked),
                "doors": list(doors),
            }
        )
    elif not context.obj["quiet"]:
        watching = f"to watch: {len(watch.targets)}, on {len(watch.catalogue.asked)} blocklists"
        gate = f"; gate: {', '.join(doors)}" if doors else ""
        click.echo(plain(f"good (read: {read}); {watching}{gate}"))


@config.command("show")
@click.pass_context
def config_show(context: click.Context) -> None:
    """Print what holds, as TOML, and behind each line where it comes from.  Secrets are not among it."""
    found = configuration(context.obj)
    if context.obj["json"]:
        print_json(found.settings)
        return
    for line in _shown(found):
        click.echo(plain(line))


@config.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the configuration."""
    import msgspec

    from outwarden.service.settings import Settings

    click.echo(msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Settings)), indent=2).decode())


def _shown(found: "Configuration") -> "Iterator[str]":
    from outwarden.service.settings import fields

    for section, _, inside in fields():
        yield f"[{section}]"
        for field in inside:
            name = field.key.partition(".")[2]
            value = getattr(getattr(found.settings, section), name)
            yield f"{name} = {toml(value)}  # {found.place(field.key) or 'default'}"
        yield ""
    for table, keys in found.settings.accounts.items():
        yield f"[accounts.{toml(table)}]"
        for name, value in keys.items():
            yield f"{name} = {toml(value)}  # {found.place(f'accounts.{table}.{name}')}"
        yield ""


def toml(value: Any) -> str:  # noqa: ANN401 (what TOML can hold)
    """Return a value as TOML writes it on one line."""
    import json

    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)
