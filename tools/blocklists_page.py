"""Writes the table of lists in docs/reference/blocklists.md from the catalogue; run it after changing that.

python tools/blocklists_page.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from outwarden.dns.blocklist import Blocklist
from outwarden.dns.catalogue import Catalogue, load_catalogue

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "blocklists.md"
BEGIN = "<!-- Written by tools/blocklists_page.py from the catalogue. -->"
END = "<!-- To here. -->"


def page(text: str, catalogue: Catalogue) -> str:
    """The page's text with the tables of this catalogue."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return before + BEGIN + "\n\n" + "\n".join(tables(catalogue)) + "\n\n" + END + after


def tables(catalogue: Catalogue) -> Iterator[str]:
    """The lines of both tables: lists, and dead zones."""
    default = {each.id for each in catalogue.asked} | {each.id for each in catalogue.lists.values() if each.by_default}
    yield "| list | what it says | about | weight | asked | how to get off | life |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for each in catalogue.lists.values():
        yield _row(each, each.id in default)
    yield ""
    yield "| dead zone | when and why |"
    yield "| --- | --- |"
    for zone, why in catalogue.dead.items():
        yield f"| `{zone}` | {why} |"


def _row(blocklist: Blocklist, asked: bool) -> str:
    life = blocklist.life
    cells = [
        f"`{blocklist.id}`<br>{blocklist.operator}<br>`{blocklist.zone}`",
        "; ".join([blocklist.meaning, *_codes(blocklist)]),
        f"{blocklist.scope}: {', '.join(blocklist.asks)}",
        blocklist.tier.value,
        _asked(blocklist, asked),
        _delisting(blocklist),
        " ".join(filter(None, [life.state, life.date])) + f" ({life.source})",
    ]
    return "| " + " | ".join(cells) + " |"


def _codes(blocklist: Blocklist) -> Iterator[str]:
    for code, told in blocklist.codes.items():
        yield f"{_short(code)} {told.means}" + (f" ({told.votes})" if told.votes else "")
    for code, words in blocklist.praise.items():
        yield f"{_short(code)} {words} (no listing)"


def _short(code: str) -> str:
    return code.removeprefix("127.0.0") if code.startswith("127.0.0.") else code


def _asked(blocklist: Blocklist, asked: bool) -> str:
    if not asked:
        return "by name only"
    return f"with a key for {blocklist.key}" if blocklist.key else "yes"


def _delisting(blocklist: Blocklist) -> str:
    way = blocklist.delisting
    parts = [f"<{way.page}>" if way.page else "", way.conditions or ""]
    if blocklist.expiry:
        parts.append(f"expires: {blocklist.expiry}")
    return "; ".join(filter(None, parts)) or "not known"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), load_catalogue()), encoding="utf-8")
