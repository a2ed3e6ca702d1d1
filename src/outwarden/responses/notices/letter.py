"""A template with its values becomes a letter: a subject, a text message, and blocks that are shown as text or HTML.

A template is Jinja2 over plain text: ``Subject:`` and ``Text message:``, an empty line, then paragraphs, headings
(``# ``), points (``- ``) and steps (``1. ``); what goes on under a point is set in by a space.  A value that is put in
stands between two signs of private use, which no value can contain: so it is never taken for a heading or a point,
whatever it begins with, and the HTML can set it apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from enum import StrEnum
from typing import NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from outwarden.responses.notices.facts import Facts, Language, NoticeKind, Place, require
from outwarden.responses.notices.wording import OurWords, OwnLink, Value, Words, variables

COLUMNS = 76
"""RFC 5322 section 2.1.1 asks for 78 at most."""
MOST_SUBJECT = 150
MOST_SHORT = 480
"""Letters: what three text messages hold, of letters that are not in their own alphabet less."""

_OPEN, _CLOSE, _LINK = "\ue000", "\ue001", "\ue002"
_VALUE = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_HEAD = re.compile(r"(Subject|Text message): *(\S[^\n]*)")
_BEGINNING = re.compile(r"(?:(# )|(- )|([0-9]{1,2}\. ))")
# A sign that stands apart from its word in French stays on its line.
_GLUED = re.compile(r" (?=[:;?!»])|(?<=«) ")
_HARD_SPACE = "\u00a0"


class MalformedTemplate(ValueError):
    """A template whose result is no letter; the text says why."""


class BlockKind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    POINTS = "points"
    STEPS = "steps"


class Piece(NamedTuple):
    """Text of a template, or a value that was put into it; ``is_link`` where that is a link of ours."""

    text: str
    is_value: bool
    is_link: bool = False


class Block(NamedTuple):
    """A heading or paragraph has one line, points and steps as many as there are."""

    kind: BlockKind
    lines: tuple[tuple[Piece, ...], ...]


class Letter(NamedTuple):
    """What is said; ``short`` is the text message.  ``has_link`` tells that it opens the owner's page to its reader."""

    language: Language
    subject: str
    short: str
    blocks: tuple[Block, ...]
    has_link: bool


class Templates(NamedTuple):
    """The texts by name (``it/answer``, ``frame``), the words, and the file of each text for faults."""

    texts: Mapping[str, str]
    words: Mapping[Language, Words]
    files: Mapping[str, str]


def write_letter(
    templates: Templates, kind: NoticeKind, language: Language, values: Mapping[str, Value], *, has_link: bool = False
) -> Letter:
    """Return a letter of values as ``variables`` makes them.

    Raises ``MalformedTemplate``, and what Jinja2 raises where the template is no good: look at them by ``checking``.
    """
    text = text_environment(templates, language).get_template(kind.value).render(values)
    head, _, body = text.replace("\r\n", "\n").lstrip("\n").partition("\n\n")
    named = {match[1]: match[2] for line in head.splitlines() if (match := _HEAD.fullmatch(line.strip()))}
    if set(named) != {"Subject", "Text message"} or len(head.splitlines()) != len(named):
        raise MalformedTemplate("it begins with a line Subject: and a line Text message:, then an empty line")
    blocks = tuple(_blocks(body))
    if not blocks:
        raise MalformedTemplate("it says nothing below its Subject: and Text message:")
    subject, short = (_bare(named[name]) for name in ("Subject", "Text message"))
    if len(subject) > MOST_SUBJECT or len(short) > MOST_SHORT:
        raise MalformedTemplate(f"a subject has {MOST_SUBJECT} letters at most, a text message {MOST_SHORT}")
    link = str(values["link"])
    if link and link in f"{subject}{short}":
        raise MalformedTemplate("the link to the owner's page stands below, not in the subject or the text message")
    return Letter(language, subject, short, blocks, has_link)


def letter(
    templates: Templates, kind: NoticeKind, language: Language, facts: Facts, place: Place, zone: tzinfo
) -> Letter:
    """Return the letter about facts; ``zone`` is the reader's.  Raises ``Incomplete`` and as ``write_letter``."""
    require(kind, facts)
    values = variables(facts, place, templates.words[language], zone)
    return write_letter(templates, kind, language, values, has_link=bool(facts.link))


def plain_text(letter: Letter) -> str:
    """Return the letter as plain text in lines of ``COLUMNS`` letters; a link alone may be longer."""
    return "\n\n".join(_block_as_text(block) for block in letter.blocks) + "\n"


def html_page(templates: Templates, letter: Letter, reference: str) -> str:
    """Return the letter as an HTML page that asks for nothing from anywhere; ``reference`` stands below it."""
    environment = Environment(
        loader=FunctionLoader(lambda name: _source(templates, name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("frame").render(
        language=letter.language.value, title=letter.subject, blocks=letter.blocks, reference=reference
    )


def text_environment(templates: Templates, language: Language) -> Environment:
    """Return how the texts of a language are read: names that are not known are errors, and nothing can be reached."""
    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(lambda name: _source(templates, f"{language.value}/{name}")),
        undefined=StrictUndefined,
        finalize=_marked,
        trim_blocks=True,
        lstrip_blocks=True,
        # What comes out is plain text; the HTML is made of it by an environment that escapes everything.
        autoescape=False,
    )
    # A name that Jinja2 brings along would not be missed when it is mistyped.
    environment.globals.clear()
    return environment


def _source(templates: Templates, name: str) -> tuple[str, str, None] | None:
    text = templates.texts.get(name)
    return None if text is None else (text, templates.files[name], None)


def _marked(value: object) -> object:
    # What is not defined goes on, and is an error by itself.
    if not isinstance(value, str) or isinstance(value, OurWords):
        return value
    return f"{_OPEN}{_LINK if isinstance(value, OwnLink) else ''}{value}{_CLOSE}"


def _bare(text: str) -> str:
    return _VALUE.sub(r"\1", text).replace(_LINK, "").strip()


def _blocks(body: str) -> Iterator[Block]:
    kind, lines = BlockKind.PARAGRAPH, list[str]()
    for line in (*body.splitlines(), ""):
        began = _BEGINNING.match(line)
        is_next = BlockKind.PARAGRAPH if began is None else _kind(began)
        # What goes on under a point is set in; a paragraph goes on as it likes.
        goes_on = (began is None and (kind is BlockKind.PARAGRAPH or line[:1] == " ")) or (
            is_next is kind and kind in _LISTS
        )
        if lines and (not line.strip() or not goes_on):
            yield Block(kind, tuple(_pieces(each) for each in lines))
            lines = []
        if began is not None:
            kind = is_next
            lines.append(line[began.end() :].strip())
        elif line.strip() and lines:
            lines[-1] += f" {line.strip()}"
        elif line.strip():
            kind = BlockKind.PARAGRAPH
            lines.append(line.strip())


_LISTS = (BlockKind.POINTS, BlockKind.STEPS)


def _kind(began: re.Match[str]) -> BlockKind:
    return BlockKind.HEADING if began[1] else BlockKind.POINTS if began[2] else BlockKind.STEPS


def _pieces(line: str) -> tuple[Piece, ...]:
    # Every second part of what is split is a value.
    parts = _VALUE.split(line)
    return tuple(
        Piece(part.removeprefix(_LINK), True, part.startswith(_LINK))
        if place % 2
        else Piece(_GLUED.sub(_HARD_SPACE, part), False)
        for place, part in enumerate(parts)
        if part
    )


def _block_as_text(block: Block) -> str:
    lines = ["".join(piece.text for piece in line) for line in block.lines]
    if block.kind is BlockKind.POINTS:
        return "\n".join(_wrapped(line, "- ") for line in lines)
    if block.kind is BlockKind.STEPS:
        return "\n".join(_wrapped(line, f"{number}. ") for number, line in enumerate(lines, 1))
    wrapped = _wrapped(lines[0], "")
    return f"{wrapped}\n{'-' * min(len(lines[0]), COLUMNS)}" if block.kind is BlockKind.HEADING else wrapped


def _wrapped(text: str, head: str) -> str:
    """Return lines of ``COLUMNS`` letters; only a link is left whole where it is longer."""
    room = COLUMNS - len(head)
    lines = [""]
    for word in (part for whole in text.split(" ") for part in _parts(whole, room)):
        together = f"{lines[-1]} {word}".strip()
        if len(together) <= room or not lines[-1]:
            lines[-1] = together
        else:
            lines.append(word)
    return head + f"\n{' ' * len(head)}".join(lines)


def _parts(word: str, room: int) -> list[str]:
    if len(word) <= room or word.startswith("https://"):
        return [word]
    return [word[place : place + room] for place in range(0, len(word), room)]
