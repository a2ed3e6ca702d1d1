"""Words of many languages and spellings become the few that the rules speak of.

``plain_words`` turns a reply's wording into words separated by one space, lower-case, without accents
and punctuation; ``.`` stands for the end of a clause.  Beside the masks of ``wording.py`` (``@box``,
``%ip``, ``%host``, ``%id``) every host or domain name becomes ``%host`` and every link ``%url``.  So no rule
can be misled by a word inside a name, and none needs to know one language from another.

The glossary translates word by word and knows no grammar; a word it does not have stays as it is.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

_MOST_WORDS_KEPT = 16_384
_LONGEST_KEPT = 100
_LONGEST_STEM = 14
_SHORTEST_STEM = 3

_ADDRESS6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{1,4}::?){2,7}(?:[0-9a-f]{1,4})?(?![\w:])", re.IGNORECASE)
_MAILBOX = re.compile(r"[\w.+-]{0,64}+@[\w.-]+")
_HOST = re.compile(r"(?<![\w.-])(?>(?:[a-z0-9_-]{1,63}+\.){1,9})[a-z]{2,12}(?![\w-])", re.IGNORECASE)
_PIECE = re.compile(r"[@%](?:box|ip|host|url|id)|[245]\.[0-7]\.\d{1,3}|[^\W_](?:[\w#-]*\w)?|[.;!?]", re.UNICODE)
_ELISION = re.compile(r"(?<![^\W_])(?:l|d|n|s|c|m|t|j|qu|dell|nell|all|un)['\u2019\u00b4`](?=\w)", re.IGNORECASE)
_ACCENT = re.compile("[\u0300-\u036f]+")
# Letters that Unicode does not take for another with an accent; the first is the dotless i.
_SINGLE_LETTERS = str.maketrans({"\u0131": "i", "ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "đ": "d", "œ": "oe"})
_LIST_OF_THE_BLOCKED = re.compile(r"\b(?:(?:blocked|black) list|list (?:blocked|black|blocklist)|blocklist list)\b")
# "dkim" and a Chinese word right after it are two words; kana, Chinese characters and Korean syllables.
_SCRIPTS_MEET = re.compile(
    "(?<=[A-Za-z0-9])(?=[\u3040-\u9fff\uac00-\ud7af])|(?<=[\u3040-\u9fff\uac00-\ud7af])(?=[A-Za-z0-9])"
)
_DROPPED = str.maketrans("_", " ", "'\u2019\u00b4`\u00ad\u200b")


class _Glossary(msgspec.Struct, frozen=True):
    forms: Mapping[str, str]
    meanings: frozenset[str]
    stems: Mapping[str, str]
    unspaced: Mapping[str, str]


@cache
def _glossary() -> _Glossary:
    forms: dict[str, str] = {}
    stems: dict[str, str] = {}
    unspaced: dict[str, str] = {}
    table = tomllib.loads(files(__package__).joinpath("glossary.toml").read_text(encoding="utf-8"))
    for language, meanings in table.items():
        for meaning, written in meanings.items():
            for form in (written if written.isascii() else _without_accents(written)).split():
                if language == "unspaced":
                    unspaced[form] = meaning
                elif form.endswith("*"):
                    stems[form[:-1]] = meaning
                else:
                    forms.setdefault(form, meaning)
    return _Glossary(forms, frozenset(forms.values()), stems, unspaced)


@cache
def _in_a_run() -> re.Pattern[str]:
    """Return what finds the forms of scripts that put no space between words, longest first."""
    return re.compile("|".join(map(re.escape, sorted(_glossary().unspaced, key=len, reverse=True))))


class _KnownWords(dict[str, str]):
    """The plain form of each written word seen lately; forgets all of them when it has grown too large."""

    def __missing__(self, word: str) -> str:
        plain = _plain(word)
        if len(word) <= _LONGEST_KEPT:
            if len(self) >= _MOST_WORDS_KEPT:
                self.clear()
            self[word] = plain
        return plain


_known_words = _KnownWords()


def plain_words(line: str) -> str:
    """Return the plain words of a line in which words are separated by single spaces."""
    plain = " ".join(filter(None, map(_known_words.__getitem__, line.split(" "))))
    if "message box" in plain:
        plain = plain.replace("message box", "mailbox")
    if "list" in plain:
        plain = _LIST_OF_THE_BLOCKED.sub("blocklist", plain).replace("black listed", "blocklisted")
    return plain


def _plain(word: str) -> str:
    """Return the plain form of one word as it was written between two spaces."""
    if "://" in word or word.startswith("www."):
        return "%url ." if word.endswith((".", ";")) else "%url"
    if "@" in word:
        word = _MAILBOX.sub(" @box ", word)
    if "." in word or ":" in word:
        word = _ADDRESS6.sub(" %ip ", word)
        word = _HOST.sub(" %host ", word)
    if not word.isascii():
        word = _spaced(_without_accents(word))
    word = _ELISION.sub("", word).translate(_DROPPED).lower()
    return " ".join(_meaning(piece) for piece in _PIECE.findall(word))


def _without_accents(word: str) -> str:
    """Return the word with its accents off; kana and Korean syllables, which also come apart, are made whole again."""
    bare = _ACCENT.sub("", unicodedata.normalize("NFKD", word.translate(_SINGLE_LETTERS)))
    return unicodedata.normalize("NFC", bare)


def _spaced(word: str) -> str:
    """Return the word with spaces round each form of the unspaced scripts, and where such a script meets Latin."""
    unspaced = _glossary().unspaced
    return _SCRIPTS_MEET.sub(" ", _in_a_run().sub(lambda found: unspaced[found[0]], word))


def _meaning(piece: str) -> str:
    if piece in ".;!?":
        return "."
    glossary = _glossary()
    joined = piece.replace("-", "")
    meaning = glossary.forms.get(joined)
    if meaning is not None:
        return meaning
    if joined != piece:
        # "block-list" is one word, "user-unknown" is two.
        return joined if joined in glossary.meanings else " ".join(map(_meaning, piece.split("-")))
    for length in range(min(len(piece), _LONGEST_STEM), _SHORTEST_STEM, -1):
        meaning = glossary.stems.get(piece[:length])
        if meaning is not None:
            return meaning
    return piece
