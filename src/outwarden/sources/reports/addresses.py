"""Addresses out of the fields and the words of a report, brought into the house's form.

Every expression takes linear time: a search begins only where a word does.
"""

import re

from outwarden.events import mailbox

_LOCAL = r"A-Za-z0-9_.!#$%&*+/=?^`{|}~"
IN_WORDS = (
    rf"(?<![{_LOCAL}-])(?:\"[^\"\s]{{1,64}}\"|[A-Za-z0-9_+#$&=^~][{_LOCAL}'-]{{0,127}}+)"
    r"@(?:\[[\d.:A-Fa-f]{2,45}\]|[A-Za-z0-9_][A-Za-z0-9_.-]{0,253})"
)
"""An expression for an address in a text of any language."""

ADDRESS = re.compile(IN_WORDS)
# RFC 6533 section 3: in utf-8-addr-xtext a letter may be written by its number.
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_TYPED = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]{0,30})\s*;\s*")
_BRACKETED = re.compile(r"<([^<>\s]{1,320})>")
_BARE = re.compile(r"(?:\"[^\"]{1,64}\"|[^\s<>()\"@;,]{1,128}+)@[^\s<>()\"@;,]{1,255}")
_NOT_PEOPLE = frozenset(
    ("mailer-daemon", "postmaster", "mailerdaemon", "post_master", "double-bounce", "mail.delivery.system")
)


def in_house_form(written: str) -> str:
    """Return an address that was found, its domain in lower case and without what a sentence put after it."""
    return str(mailbox(written.strip("<>").rstrip(".-_,;:'")))


def addresses_in(words: str) -> list[str]:
    """Return the addresses in a text, in their order."""
    return [in_house_form(one) for one in ADDRESS.findall(words)] if "@" in words else []


def typed_address(value: str) -> str | None:
    """Return the address in a recipient field: type, brackets and comments off.  None where there is none.

    RFC 3464 section 2.3.2 asks for ``rfc822; address``; the type is left out by some, and the address is in angle
    brackets, in quotes or followed by a comment with others.
    """
    typed = _TYPED.match(value)
    bare = value[typed.end() :] if typed else value
    if "\\x{" in bare:
        bare = _UNITEXT.sub(lambda found: _letter(found[1]), bare)
    found = _BRACKETED.search(bare)
    if found and "@" in found[1]:
        return in_house_form(found[1])
    whole = _BARE.search(bare)
    if whole:
        return in_house_form(whole[0])
    return None


def bare_name(value: str) -> str | None:
    """Return the one word of a recipient field that has no domain, as ``Final-Recipient: rfc822; rosa``."""
    typed = _TYPED.match(value)
    name = (value[typed.end() :] if typed else value).strip().strip("<>\"'")
    return name if name and not any(sign in name for sign in " \t|/@") and len(name) <= 64 else None


def is_a_machine(address: str) -> bool:
    """Return whether an address is one that mail servers write from."""
    return address.partition("@")[0].lower() in _NOT_PEOPLE


def _letter(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number < 0xE000 else "?"
