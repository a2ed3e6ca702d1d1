"""How things are said in a language: months, times in the reader's zone, figures, and what was done.

Each language has a file ``words.toml``, of which a site may change as much as it likes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any

import msgspec

from outwarden.responses.notices.facts import Counted, Done, Facts, Period, Place

MOST_LETTERS = 200
"""So much of one value is told; a reader who wants more asks."""
_MOST_RULES = 20
_CUT = "..."


class OwnLink(str):
    """A link of the site's own, which may be one to click at."""

    __slots__ = ()


class OurWords(str):
    """Words of ours, that need not be set apart as a value."""

    __slots__ = ()


Value = str | list[str]
_Sentence = Annotated[str, msgspec.Meta(min_length=1)]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of a language.

    ``date`` is made of ``{day}``, ``{month}``, ``{year}`` and ``{time}``; ``thousands`` stands between groups of three
    figures.
    """

    months: Annotated[tuple[_Sentence, ...], msgspec.Meta(min_length=12, max_length=12)]
    date: _Sentence
    thousands: str
    done: dict[Done, _Sentence]
    counted: dict[Counted, _Sentence]
    period: dict[Period, _Sentence]

    def __post_init__(self) -> None:
        """Refuse words that leave something unsaid."""
        for table, names in (("done", Done), ("counted", Counted), ("period", Period)):
            missing = [str(each) for each in names if each not in getattr(self, table)]
            if missing:
                raise ValueError(f"{table} lacks {', '.join(missing)}")
        try:
            self.date.format(day=1, month="", year=1, time="")
        except (KeyError, IndexError, ValueError, AttributeError):
            raise ValueError("date takes {day}, {month}, {year} and {time} only") from None


VARIABLES = frozenset(
    (*Facts.__struct_fields__, *Place.__struct_fields__, "happened")
) - {"happened_at"}  # fmt: skip
"""The names that a template may use; each is given to every kind."""


def read_words(table: Mapping[str, Any]) -> Words:
    """Read the words out of a table of TOML.  Raises ``msgspec.ValidationError``."""
    return msgspec.convert(table, Words)


def variables(facts: Facts, place: Place, words: Words, zone: tzinfo) -> dict[str, Value]:
    """Return what a template is given: text of one line each, or a list of such."""
    return {
        "organisation": one_line(place.organisation),
        "contact": one_line(place.contact),
        "password_page": _own_link(place.password_page),
        "second_factor_page": _own_link(place.second_factor_page),
        "account": one_line(facts.account),
        "happened": moment_in_words(facts.happened_at, words, zone),
        "reference": one_line(facts.reference),
        "done": [OurWords(words.done[each]) for each in facts.done],
        "client_address": of_strangers(facts.client_address),
        "machine": of_strangers(facts.machine),
        "listed_by": of_strangers(facts.listed_by),
        "subject": of_strangers(facts.subject),
        "place": of_strangers(facts.place),
        "words": one_line(facts.words, 3 * MOST_LETTERS),
        "rules": [of_strangers(rule) for rule in facts.rules[:_MOST_RULES]] + [_CUT] * (len(facts.rules) > _MOST_RULES),
        "messages": number_in_words(facts.messages, words),
        "recipients": number_in_words(facts.recipients, words),
        "limit": number_in_words(facts.limit, words),
        "counted": OurWords(words.counted[facts.counted]),
        "period": OurWords(words.period[facts.period]),
        "until": "" if facts.until is None else moment_in_words(facts.until, words, zone),
        "link": _own_link(facts.link),
    }


def one_line(text: str, most: int = MOST_LETTERS) -> str:
    """Return a text as one line of what can be seen, cut to ``most`` letters.

    Line ends, controls, marks of direction and the signs that we use ourselves (private use) become spaces.
    """
    if not isinstance(text, str):
        raise TypeError(f"a notice says text, and no {type(text).__name__}")
    seen = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * most]).split())
    return seen if len(seen) <= most else seen[: most - len(_CUT)].rstrip() + _CUT


def of_strangers(text: str) -> str:
    """Return as ``one_line`` what strangers may have chosen, with what most programs make a link of broken up."""
    return one_line(text).replace("://", "[:]//").replace("www.", "www[.]")


def _own_link(link: str) -> OwnLink:
    # One that is cut leads nowhere.
    return OwnLink(one_line(link, max(len(link), 1)))


def number_in_words(number: int, words: Words) -> str:
    """Return a count with its thousands set apart; empty for none."""
    return f"{number:,}".replace(",", words.thousands) if number else ""


def moment_in_words(at: datetime, words: Words, zone: tzinfo) -> str:
    """Return a time in the reader's zone, and in UTC where that is another."""
    there = at.astimezone(zone)
    told, name = _told(there, words), getattr(zone, "key", None) or there.tzname() or ""
    if there.utcoffset() == at.astimezone(UTC).utcoffset():
        return f"{told} UTC"
    return f"{told} ({one_line(name)}; {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


def _told(at: datetime, words: Words) -> str:
    return words.date.format(day=at.day, month=words.months[at.month - 1], year=at.year, time=f"{at:%H:%M}")
