"""Accounts, destinations and queue IDs, brought into a form that can do no harm in a mail server's own language.

What passes here may stand in a lookup table, in a setting and on a program's command line or standard input, so
nothing passes that one of them would read as its own: white space, braces, quotes, ``$``, ``:``, ``=``, a leading
hyphen.  The postmaster's account may be named thus all the same; then it is refused, not guessed at.
"""

import re

_LONGEST_ACCOUNT = 254  # RFC 5321 section 4.5.3.1.3: 256 octets with the angle brackets.
_FORBIDDEN = frozenset("{}()<>[]$,;:=|&`'\"\\#%")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")
# Shorter words would let ``ALL`` through, which Postfix's postsuper takes for every message there is.
_POSTFIX_ID = re.compile(r"[0-9A-Za-z]{6,32}")
_EXIM_ID = re.compile(r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}")


class MalformedSubject(ValueError):
    """The text names no account, destination or queue ID that can be acted upon; one line says why."""


def account(text: str) -> str:
    """Return a login or envelope sender, in lower case, as mail servers' tables want it."""
    if not text or len(text) > _LONGEST_ACCOUNT or text.startswith(("-", "@")):
        raise MalformedSubject(f"{text[:60]!r} is no account; name a login or an envelope sender")
    if not text.isprintable() or " " in text or _FORBIDDEN & set(text):
        raise MalformedSubject(f"{text[:60]!r} has a character that no table of a mail server takes")
    return text.lower()


def destination(text: str) -> str:
    """Return the domain of a destination, in lower case and in its ASCII form (RFC 5890 section 2.3.2.1)."""
    name = text.strip().rstrip(".").lower()
    try:
        name = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        raise MalformedSubject(f"{text[:60]!r} is no domain") from None
    if _DOMAIN.fullmatch(name) is None:
        raise MalformedSubject(f"{text[:60]!r} is no domain; name what stands behind the @ of its recipients")
    return name


def queue_id(text: str) -> str:
    """Return a queue ID of Postfix or Exim."""
    if _POSTFIX_ID.fullmatch(text) is None and _EXIM_ID.fullmatch(text) is None:
        raise MalformedSubject(f"{text[:60]!r} is no queue ID")
    return text
