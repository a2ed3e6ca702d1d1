"""What the service found on blocklists before: ``blocklists --history``, and what is joined to an asking now."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.failure import WrongArgument
from outwarden.cli.log_options import screen
from outwarden.cli.rendering import Column, cut, duration, number, plain, print_json, stamp, table
from outwarden.cli.settings_option import StoreNotReachable, configuration

if TYPE_CHECKING:
    from outwarden.detection.diagnosis import ListingPeriod
    from outwarden.service.settings import Configuration
    from outwarden.store.listings import Listing

_HEADS = ("target", "list", "since", "until", "for", "returns", "said last")
_LEAST_SAID = 9


def known_periods(settings: "Configuration") -> "list[ListingPeriod]":
    """Return what was listed when; nothing where there is no store, and where it cannot be read stderr says so."""
    from outwarden.service.settings_files import is_there
    from outwarden.store.database import StoreUnusable
    from outwarden.store.delistings import periods
    from outwarden.store.store import Store

    path = Path(settings.settings.store.path)
    if not is_there(path):
        return []
    try:
        with Store(path, read_only=True) as store:
            return periods(store.listings.history())
    except StoreUnusable as fault:
        click.echo(f"outwarden: what was listed before is not known: {plain(str(fault))}", err=True)
        return []


def show_history(targets: Sequence[str], options: dict[str, Any]) -> None:
    """Print the listings that the service found, of these targets or of all, oldest first.

    Raises ``WrongArgument``, ``BadConfiguration`` and ``StoreNotReachable``.
    """
    wanted = _texts(targets)
    listings = [each for each in _listings(options) if not wanted or _folded(each.target) in wanted]
    if options["json"]:
        for each in listings:
            print_json(_document(each))
    elif listings:
        click.echo("\n".join(_lines(listings, screen(options["verbose"]).width)))
    else:
        click.echo(f"the service found no listing of {'these' if wanted else 'anything'} so far")


def _folded(name: str) -> str:
    return name.lower().rstrip(".")


def _texts(targets: Sequence[str]) -> set[str]:
    from outwarden.dns.targets import Targets, UnusableTarget

    try:
        return {_folded(target.text) for target in Targets(targets)}
    except UnusableTarget as fault:
        raise WrongArgument(str(fault)) from fault


def _listings(options: dict[str, Any]) -> "list[Listing]":
    from outwarden.store.database import StoreUnusable
    from outwarden.store.store import Store

    try:
        with Store(Path(configuration(options).settings.store.path), read_only=True) as store:
            return store.listings.history()
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault


def _document(listing: "Listing") -> dict[str, Any]:
    return {
        "target": listing.target,
        "list": listing.list,
        "since": listing.began_at,
        "last_seen": listing.last_seen_at,
        "ended": listing.ended_at,
        "returns": listing.returns,
        "codes": listing.codes,
        "meaning": listing.meaning,
        "text": listing.text,
        "delisting": listing.page,
    }


def _lines(listings: "Sequence[Listing]", width: int) -> list[str]:
    rows = [
        (
            plain(each.target),
            plain(each.list),
            stamp(each.began_at),
            stamp(each.ended_at) if each.ended_at is not None else "still listed",
            duration((each.ended_at or each.last_seen_at) - each.began_at),
            number(each.returns),
            plain(" ".join([*each.codes, each.meaning])),
        )
        for each in listings
    ]
    # What the list said last gives way on a narrow terminal, not the target.
    others = sum(max(map(len, cells)) + 2 for cells in list(zip(_HEADS, *rows, strict=True))[:-1])
    said = max(width - others, _LEAST_SAID)
    columns = [Column(head, right=head == "returns") for head in _HEADS]
    return table(columns, [(*row[:-1], cut(row[-1], said)) for row in rows], width)
