"""Notices for the operator's eyes, about invented facts: what they look like, and what is wrong with a template."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outwarden.responses.notices.checking import Fault
from outwarden.responses.notices.facts import Language, NoticeKind
from outwarden.responses.notices.letter import html_page, letter, plain_text
from outwarden.responses.notices.sample import SAMPLE_PLACES, sample_facts
from outwarden.responses.notices.texts import UnusableTemplates, load_templates

LANGUAGES = tuple(each.value for each in Language)
KINDS = tuple(each.value for each in NoticeKind)


class UnknownZone(ValueError):
    """No time zone has this name."""


class Preview(NamedTuple):
    """A notice as it would be sent."""

    kind: str
    language: str
    subject: str
    text_message: str
    text: str
    html: str


def previews(kinds: Sequence[str], language: str, folder: Path | None, zone: str | None = None) -> list[Preview]:
    """Return a notice of each kind.  Raises ``UnusableTemplates`` and ``UnknownZone``."""
    templates, told = load_templates(folder), Language(language)
    try:
        there = UTC if zone is None else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(f"no time zone is called {zone!r}; write one like Europe/Rome") from None
    made = []
    for kind in map(NoticeKind, kinds):
        facts = sample_facts(kind)
        written = letter(templates, kind, told, facts, SAMPLE_PLACES[True], there)
        page = html_page(templates, written, facts.reference)
        made.append(Preview(kind.value, language, written.subject, written.short, plain_text(written), page))
    return made


def template_faults(folder: Path) -> list[Fault]:
    """Return what is wrong with the templates of a folder."""
    try:
        load_templates(folder)
    except UnusableTemplates as wrong:
        return wrong.faults
    return []


__all__ = ["KINDS", "LANGUAGES", "Fault", "Preview", "UnknownZone", "UnusableTemplates", "previews", "template_faults"]
