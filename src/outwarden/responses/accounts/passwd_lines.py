"""The lines of a passwd-file as Dovecot reads them: ``account:password:uid:gid:gecos:home:shell:extra``.

Every byte but the one password stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Line(NamedTuple):
    """One account: which line, its password as stored, and whether the line lets in whoever gives any."""

    number: int
    password: bytes
    takes_any: bool


def lines_of(content: bytes, name: bytes) -> list[Line]:
    """Return the lines of an account; Dovecot takes the first of several."""
    if not name or name.startswith(b"#") or b":" in name or b"\n" in name:
        return []
    found = []
    for number, line in enumerate(content.split(b"\n")):
        fields = line.removesuffix(b"\r").split(b":", 7)
        if fields[0] == name:
            extra = fields[7].split() if len(fields) == 8 else []
            takes_any = any(word.partition(b"=")[0] == b"nopassword" for word in extra)
            found.append(Line(number, fields[1] if len(fields) > 1 else b"", takes_any))
    return found


def with_password(content: bytes, line: Line, change: Callable[[bytes], bytes]) -> bytes:
    """Return the file with the password of one line changed."""
    lines = content.split(b"\n")
    old = lines[line.number]
    end = b"\r" if old.endswith(b"\r") else b""
    name, *fields = old.removesuffix(b"\r").split(b":")
    lines[line.number] = b":".join([name, change(line.password), *fields[1:]]) + end
    return b"\n".join(lines)
