"""What a report says in words: which recipients it names, and what it says of each.

The language does not matter: a recipient stands at the beginning of a line of its own, after a phrase that says that
mail did not reach it, in the reply of a host, or, where nothing else names one, anywhere.  The first of these that
finds anything decides.  At most ``MOST_LINES`` lines of a report are read, and ``_LONGEST_LINE`` characters of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from outwarden.sources.reports.addresses import ADDRESS, IN_WORDS, addresses_in, in_house_form, is_a_machine
from outwarden.sources.reports.phrases import phrases

MOST_LINES = 4_000
_LONGEST_LINE = 2_000
_MOST_DETAIL_LINES = 12
_LEAST_DETAIL = 45
_SHORT = 12

_LABEL = (
    r"(?:(?:(?:failed|final|original|bad|intended|invalid|error|affected)[ -]?)?"
    r"(?:recipients?|addressees?|address|mailbox|error-for|to|destinataires?|empf\S{1,8}nger|destinatarios?)"
    r"(?:[ -](?:address|e-?mail|name))?[ \t]{0,20}:[ \t]{0,20})?"
)
# An address and nothing more, or what a list of failed recipients puts after one.
_ENTRY = re.compile(
    rf"^[ \t>*\"'|\u2022\u00b7-]{{0,40}}{_LABEL}"
    r"(?:(?!(?:from|by|via|sender|reply-to|cc|von|de|da)\b)[^\s<>@]{1,80} )?"
    rf"[<(\[\"']{{0,3}}({IN_WORDS})[>)\]\"']{{0,3}}"
    r"(?:[ \t]*$|[ \t]*[:;][ \t]*|[ \t]*\.\.\.[ \t]*|[ \t]*\[|[ \t]+\(|[ \t]*,[ \t]*$|[ \t]+-[ \t]|[ \t]+on [A-Z])",
    re.IGNORECASE,
)
_CODED_ADDRESS = re.compile(rf"^(?:<<< )?[45]\d\d[ -](?:[245]\.\d\.\d{{1,3}} )?[<\"']?({IN_WORDS})[>\"']?(?:\.\.\.|:)")
_ASKS_TO_WRITE = re.compile(r"(?:contact|to the address|e-?mail|write to|assistance)[^@]{0,40}$", re.IGNORECASE)
_TO = re.compile(r"^[ \t>*|\u2022-]{0,40}(?:to|an|para|till)[ \t]{0,20}:", re.IGNORECASE)
_HEADER_LINE = re.compile(
    r"^[ \t>*|\u2022-]{0,40}(?:from|subject|sent|date|message-?id|cc|received on)[ \t]{0,20}:", re.IGNORECASE
)
_GENERATED = re.compile(r"\((?:ultimately )?(?:generated|expanded) from:? ", re.IGNORECASE)
_RULE = re.compile(r"^[ \t|=*_-]{6,}|^[ \t]*-{2,}[ \t]*\S")
_REPLY = re.compile(r"(?:^|[\s:<\"'(#>\[])[45]\d\d(?:[ -]|$)|(?<![\w.])[45]\.\d{1,2}\.\d{1,3}(?![\w.])")
# RFC 5321 section 4.2.1: a hyphen after the code says that a line of the reply follows.
_GOES_ON = re.compile(r"(?:^|[ \t])[45]\d\d-[^\n]{0,2000}$")
_X400 = re.compile(r"^[^@\n]{0,200}?smtp=", re.IGNORECASE)
_BARE_NAME = re.compile(r"^[ \t]{1,20}<?([A-Za-z0-9_][A-Za-z0-9_.+-]{0,63})>?[ \t]*$")
_NOT_SAID = re.compile(
    r"^[ \t]*(?:(?:status|action|arrival-date|last-attempt-date|(?:remote|reporting)-mta|date|message-id)[ \t]*:|>>> "
    r"|\.\.\. while talking|while talking to|-{3,}|={3,})",
    re.IGNORECASE,
)


class Named(NamedTuple):
    """A recipient that the words name, and what they say of it; empty where they say nothing."""

    address: str
    said: str


def named_recipients(text: str, strangers: frozenset[str], domain: str = "") -> list[Named]:
    """Return the recipients that a report names.

    ``strangers`` are addresses that are those of others, which count only where nothing else does; ``domain`` is the
    reporter's, for recipients that are named without one.
    """
    lines = [line[:_LONGEST_LINE] for line in text.split("\n", MOST_LINES)[:MOST_LINES]]
    if "smtp=" in text.lower():
        lines = [_X400.sub("", line) for line in lines]
    for find in (_entries, _phrases, _coded):
        found = _known_once(find(lines), strangers)
        if found:
            return found
    if domain and (bare := bare_recipients(lines, domain)):
        return bare
    found = _known_once(_anywhere(lines), strangers)
    if len(found) == 1 or not strangers:
        return found[:1]
    for find in (_entries, _phrases, _coded):
        found = _known_once(find(lines), frozenset())
        if found:
            return found
    return []


def bare_recipients(lines: list[str], domain: str) -> list[Named]:
    """Return the recipients of ``domain`` that a report names without it: one word on a line, after a phrase."""
    found: list[str] = []
    phrase_ends = False
    for line in lines:
        bare = _BARE_NAME.match(line) if phrase_ends else None
        if bare:
            found.append(f"{bare[1]}@{domain}")
        elif line.strip():
            phrase_ends = bool(phrases("not-reached").search(line.lower())) and line.rstrip().endswith(":")
    return [Named(one, "") for one in dict.fromkeys(found)]


def reply_for(address: str, said: str, text: str, alone: bool) -> str:
    """Return the words about one recipient; ``alone`` where there is no other.

    Those beside it, else the reply of a host that names it, else any reply, else what is said of all.
    """
    if _REPLY.search(said):
        return said
    replies = _replies_in(text)
    low = address.lower()
    for named in (low, low.partition("@")[0]):
        for reply in replies:
            if named in reply.lower():
                return reply
    if replies and (alone or len(said) <= _SHORT):
        return replies[0]
    return said or _said_of_all(text)


def _said_of_all(text: str) -> str:
    """Return the sentences that say why, where no recipient has its own."""
    lines = (line.strip() for line in text.split("\n", MOST_LINES)[:MOST_LINES])
    return " ".join(
        [line for line in lines if phrases("why").search(line.lower()) and not phrases("opening").search(line.lower())][
            :4
        ]
    )


def _known_once(found: Iterator[Named], strangers: frozenset[str]) -> list[Named]:
    seen: dict[str, Named] = {}
    for one in found:
        key = one.address.lower()
        if strangers and (key in strangers or is_a_machine(one.address)):
            continue
        if key not in seen or (not seen[key].said and one.said):
            seen[key] = one
    return list(seen.values())


def _entries(lines: list[str]) -> Iterator[Named]:
    """Find the lines that begin with an address and say nothing but what became of it."""
    for place, line in enumerate(lines):
        found = (
            _ENTRY.match(line) if "@" in line and not phrases("not-a-recipient").search(line[:120].lower()) else None
        )
        if found is None or _is_of_others(lines, place):
            if _GENERATED.search(line) and place and "@" not in lines[place - 1]:
                # The address itself is kept back, or is a program.
                yield from (Named(one, _detail(lines, place + 1)) for one in addresses_in(line)[:1])
            continue
        rest = line[found.end(1) :].strip("<>)(\"' \t:;,.")
        yield Named(in_house_form(found[1]), " ".join((rest, _detail(lines, place + 1))).strip())


def _is_of_others(lines: list[str], place: int) -> bool:
    """Say whether the line asks to write to its address, or is one of a header that is told in words."""
    before = next((line.strip() for line in reversed(lines[max(0, place - 3) : place]) if line.strip()), "")
    if _ASKS_TO_WRITE.search(before[-200:]):
        return True
    if not _TO.match(lines[place]):
        return False
    return any(_HEADER_LINE.match(line) for line in lines[max(0, place - 2) : place + 3])


def _detail(lines: list[str], place: int) -> str:
    """Return what follows an entry: up to the next entry, a rule, or an empty line after words."""
    said: list[str] = []
    for line in lines[place : place + _MOST_DETAIL_LINES]:
        bare = line.strip()
        if not bare:
            if said and _is_whole(said):
                break
            continue
        if _RULE.match(line) or (_ENTRY.match(line) and not _REPLY.match(line) and not (said and line[:1].isspace())):
            break
        if not _GENERATED.search(bare):
            said.append(bare)
    return " ".join(said)


def _is_whole(said: list[str]) -> bool:
    """Return whether enough is said for an empty line to end it."""
    if said[-1].endswith(":") or _GOES_ON.search(said[-1]):
        return False
    return sum(map(len, said)) > _LEAST_DETAIL or any(map(_REPLY.search, said))


def _phrases(lines: list[str]) -> Iterator[Named]:
    """Find the addresses after words that say that mail did not reach somebody."""
    for place, line in enumerate(lines):
        if "@" not in line or phrases("not-a-recipient").search(line[:300].lower()):
            continue
        before = lines[place - 1] if place else ""
        if phrases("not-reached").search(line.lower()) or phrases("not-reached").search(before.lower()):
            rest = _detail(lines, place + 1)
            yield from (Named(one, f"{line.strip()} {rest}".strip()) for one in addresses_in(line))


def _coded(lines: list[str]) -> Iterator[Named]:
    """Find the addresses in the replies of hosts."""
    for line in lines:
        found = _CODED_ADDRESS.match(line.strip()) if "@" in line else None
        if found:
            yield Named(in_house_form(found[1]), line.strip())


def _anywhere(lines: list[str]) -> Iterator[Named]:
    for line in lines:
        if "@" in line and not phrases("not-a-recipient").search(line[:300].lower()):
            yield from (Named(in_house_form(one), "") for one in ADDRESS.findall(line))


def _replies_in(text: str) -> list[str]:
    """Return the replies of hosts, the lines of one reply joined."""
    replies: list[str] = []
    last: str | None = None
    for line in text.split("\n", MOST_LINES)[:MOST_LINES]:
        bare = line[:_LONGEST_LINE].strip()
        found = _REPLY.search(bare)
        if found is None or _NOT_SAID.match(bare):
            if last is not None and bare and line[:1] in " \t":
                replies[-1] = f"{replies[-1]} {bare}"
            else:
                last = None
            continue
        code = found[0].strip(" -:<\"'(#>")
        if last == code:
            replies[-1] = f"{replies[-1]} {bare}"
        else:
            replies.append(bare)
        last = code
    return replies
