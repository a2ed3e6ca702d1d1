"""The rules of ``rules.toml``, ready for use.

A rule is found by the words or tells it needs, so that a reply is held against a few rules and not all of
them; an expression is compiled when a reply has the word it begins with, where it begins with one.  The
files are read on first use.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal

from outwarden.events import RefusalClass
from outwarden.sources.refusals.needles import Needles
from outwarden.sources.refusals.unwrap import Reply

Stage = Literal["fault", "code", "words", "gist", "status"]

_STAGES: tuple[Stage, ...] = ("fault", "code", "words", "gist", "status")
_MOST_CLAUSES = 40
# What an expression begins with that no text can lack: it has no alternatives but in brackets.
_FIRST_WORD = re.compile(r"\\b([a-z]++)(?=[ \\(]|\{[a-z]|$)")


class Expression:
    """An expression over plain words, ``written`` with the parts that it names."""

    def __init__(self, written: str, parts: dict[str, str]) -> None:
        first = _FIRST_WORD.match(written)
        self._first_word = first[1] if first else ""
        self._written = written
        self._parts = parts
        self._compiled: re.Pattern[str] | None = None

    def found_in(self, plain: str) -> bool:
        """Say whether it is found in plain words.  Most are ruled out by their first word, and never compiled."""
        return self._first_word in plain and self.compiled().search(plain) is not None

    def compiled(self) -> re.Pattern[str]:
        """Return the expression, compiled on first use."""
        if self._compiled is None:
            self._compiled = re.compile(_filled(self._written, self._parts))
        return self._compiled


class Rule:
    """One rule: what it looks for, and the class it gives."""

    def __init__(self, place: int, entry: dict[str, Any], parts: dict[str, str]) -> None:
        self.place = place
        self.name: str = entry["name"]
        self.stage: Stage = entry["stage"]
        self.refusal_class = RefusalClass(entry["class"])
        self.tells: tuple[str, ...] = tuple(entry.get("tells", ()))
        self.words: tuple[str, ...] = tuple(entry.get("words", ()))
        self.status: tuple[str, ...] = tuple(entry.get("status", ()))
        self._status_starts = tuple(code if code.endswith(".") else f"{code}." for code in self.status)
        self.codes: tuple[int, ...] = tuple(entry.get("codes", ()))
        self.provider: str | None = entry.get("provider")
        self.about = _together(entry.get("about", ()))
        self.says = _together(entry.get("says", ()))
        self.sample: str = entry["sample"]
        self.source: str = entry["source"]
        self.expressions = tuple(Expression(pattern, parts) for pattern in entry.get("patterns", ()))

    def fits(self, reply: Reply, plain: str, provider: str | None) -> bool:
        """Say whether all else that the rule asks for is there, once one of its tells or words was found."""
        if self.provider is not None and provider != self.provider:
            return False
        if self.codes and reply.code not in self.codes:
            return False
        # A code that ends in a dot stands for all that begin with it.
        if self.status and not (reply.status and f"{reply.status}.".startswith(self._status_starts)):
            return False
        if self.says and not any(self._is_gist_of(clause) for clause in _clauses(plain)):
            return False
        return not self.expressions or any(expression.found_in(plain) for expression in self.expressions)

    def _is_gist_of(self, clause: frozenset[str]) -> bool:
        return any(words <= clause for words in self.says) and any(words <= clause for words in self.about)


def _together(entries: Iterable[str]) -> tuple[frozenset[str], ...]:
    """Return sets of words that have to stand together, in any order."""
    return tuple(frozenset(entry.split()) for entry in entries)


@lru_cache(maxsize=1)
def _clauses(plain: str) -> list[frozenset[str]]:
    """Return the words of each clause; the rules of one reply ask for them one after another."""
    return [frozenset(clause.split()) for clause in plain.split(" . ", _MOST_CLAUSES)]


def _filled(pattern: str, parts: dict[str, str]) -> str:
    for _ in range(2):
        pattern = re.sub(r"\{([a-z]+)\}", lambda found: parts[found[1]], pattern)
    return pattern


def _place(rule: Rule) -> int:
    return rule.place


class Rulebook:
    """All rules in order."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._by_word: dict[Stage, dict[str, list[Rule]]] = {stage: {} for stage in _STAGES}
        self._by_tell: dict[Stage, Needles[Rule]] = {
            stage: Needles((tell, rule) for rule in self.rules if rule.stage == stage for tell in rule.tells)
            for stage in _STAGES
        }
        self._by_status: dict[Stage, list[Rule]] = {stage: [] for stage in _STAGES}
        for rule in self.rules:
            if rule.tells:
                continue
            if rule.words:
                for word in rule.words:
                    self._by_word[rule.stage].setdefault(word, []).append(rule)
            else:
                self._by_status[rule.stage].append(rule)

    def first(
        self, stages: Iterable[Stage], reply: Reply, plain: str, words: frozenset[str], provider: str | None
    ) -> Rule | None:
        """Return the first rule of those stages that fits a reply and its plain words, or None."""
        for stage in stages:
            for rule in self._candidates(stage, reply, words):
                if rule.fits(reply, plain, provider):
                    return rule
        return None

    def _candidates(self, stage: Stage, reply: Reply, words: frozenset[str]) -> list[Rule]:
        """Return the rules of which a tell or a word is there, or which go by the status alone, in order."""
        said, by_word = reply.words, self._by_word[stage]
        found = {rule for _, _, rule in self._by_tell[stage].found_in(said)}
        for word in words & by_word.keys():
            found.update(by_word[word])
        found.update(self._by_status[stage])
        return sorted(found, key=_place)


def read_table(name: str) -> dict[str, Any]:
    """Return one of the TOML files beside this module."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def rulebook() -> Rulebook:
    """Return the rules of ``rules.toml``."""
    table = read_table("rules.toml")
    parts: dict[str, str] = table["parts"]
    return Rulebook(Rule(place, entry, parts) for place, entry in enumerate(table["rule"]))
