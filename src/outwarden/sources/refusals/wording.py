"""The wording of a reply: what stays the same when it is said of another mailbox, address or queue id.

Everything that only names somebody is masked word by word before a reply is judged, so that no rule
can be misled by a word inside an address, and replies of one wording can be remembered as one:

- a mailbox becomes ``@box``, or ``@gmail.com`` where its domain tells a service that we know; where
  postmasters and abuse desks are written to, it stays;
- an IPv4 address becomes ``%ip``; a list's answers (127.x) stay, because they mean something;
- a host right before its address, as in ``mx.b.example[192.0.2.1]``, becomes ``%host``, or the name of its service;
- a host that is told of, in brackets, after ``=`` or at the end of a link, becomes ``%host``, unless it is
  a list's or of a service that we know;
- a host of a service that we know loses the numbers that tell it from its neighbours;
- a queue or session id becomes ``%id``.

A masked word holds no space, so words keep their places.
"""

import re
from collections.abc import Iterable

from outwarden.sources.refusals.listings import lists
from outwarden.sources.refusals.services import HOST, services

_MOST_WORDS = 16_384
_LONGEST_KEPT = 100
_LONGEST_WORD = 512

_DESKS = frozenset({"postmaster", "abuse", "tosa", "toda"})

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_MAILBOX = re.compile(r"([^\s<>()\[\],;:\"@/=?]{0,64}+)@([^\s<>()\[\],;:\"@/=?]{0,255})")
_CODE_OF_A_LINE = re.compile(r"[45]\d\d-")
_ADDRESS = re.compile(rf"(?<![\w.])(?!127\.)(?:{_OCTET}\.){{3}}{_OCTET}(?![\w]|\.\d)")
_HOST_BEFORE_ADDRESS = re.compile(rf"(?<![\w.-])({HOST})(?=\[%ip\])", re.IGNORECASE)
_HOST_TOLD_OF = re.compile(rf"(?:(?<=[=\[])|(?<=[^/:]/))({HOST})(?=[\]&;>)]|[.,:]?$)", re.IGNORECASE)
_HOST_OF_A_POOL = re.compile(rf"(?<![\w.-]){HOST}(?![\w-])", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_ID = re.compile(
    r"(?=(?:[a-z-]*\d){3})(?=[\d-]*[a-z])[a-z0-9]{1,40}(?:-[a-z0-9]{1,40})?\.\d{1,4}"  # as Google signs
    r"|(?=(?:[a-z]*\d){3})(?=\d*[a-z])[a-z0-9]{10,40}"
    r"|[A-F0-9]{9,16}"  # Postfix
    r"|(?=[a-zA-Z]*\d)[0-9a-zA-Z]{6}-[0-9a-zA-Z]{6,11}-[0-9a-zA-Z]{2,4}"  # Exim
)


class _MaskedWords(dict[str, str]):
    """The mask of each word seen lately; forgets all of them when it has grown too large."""

    def __missing__(self, word: str) -> str:
        masked = _masked(word)
        if len(word) <= _LONGEST_KEPT:
            if len(self) >= _MOST_WORDS:
                self.clear()
            self[word] = masked
        return masked


_masked_words = _MaskedWords()


def wording(words: Iterable[str]) -> str:
    """Return the words on one line, separated by single spaces, with what only names somebody masked."""
    return " ".join(map(_masked_words.__getitem__, words))


def _masked(word: str) -> str:
    word = word[:_LONGEST_WORD]
    # "550-a@b.example" is a code and a mailbox, though a mailbox or a host might begin so.
    after_code = 4 if _CODE_OF_A_LINE.match(word) else 0
    return word[:after_code] + _masked_name(word[after_code:])


def _masked_name(word: str) -> str:
    if "@" in word:
        word = _MAILBOX.sub(_masked_mailbox, word)
    if word.count(".") >= 3:
        word = _ADDRESS.sub("%ip", word)
        if "[%ip]" in word:
            word = _HOST_BEFORE_ADDRESS.sub(lambda found: _known_or(found[1], "", "%host"), word)
    if "." in word and ("[" in word or "=" in word or "/" in word):
        word = _HOST_TOLD_OF.sub(lambda found: found[1] if _is_known(found[1].lower()) else "%host", word)
    if len(word) >= 9 and _ID.fullmatch(word):
        return "%id"
    if word.count(".") >= 2 and "/" not in word and _NUMBER.search(word):
        word = _HOST_OF_A_POOL.sub(_without_number, word)
    return word


def _is_known(host: str) -> bool:
    return services().known_part(host) is not None or lists().by_zone(host) is not None


def _masked_mailbox(found: re.Match[str]) -> str:
    if found[1].lower() in _DESKS:
        return found[0]
    return _known_or(found[2], "@", "@box")


def _without_number(found: re.Match[str]) -> str:
    host = found[0]
    known = services().known_part(host.lower())
    if known is None:
        return host
    own = len(host) - len(known)
    return _NUMBER.sub("0", host[:own]) + host[own:]


def _known_or(host: str, before: str, otherwise: str) -> str:
    known = services().known_part(host.rstrip(".").lower())
    return otherwise if known is None else before + known
