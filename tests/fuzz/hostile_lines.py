"""Hostile input made of real-looking lines: a small mutation engine, the same for every seed of chance.

Bytes at random rarely get past a reader's first look.  So each input begins as a line that the reader
knows, and is then cut, doubled, spliced with another, or given what attackers and broken programs
put there: brackets that do not close, field names inside names, control characters, digits that are none.
"""

import random
from collections.abc import Callable, Sequence

LONGEST = 1 << 20

# What means something to one reader or another.
_WORDS = (
    *("<", ">", "<>", "[", "]", "[]:25", "(", ")", "{", "}", '"', "'", "\\", "`", ", ", ": ", "=", "@", " ", "  "),
    *("-", "#", "to=<", "from=<", "orig_to=<", "relay=", "dsn=", "status=sent (", "status=bounced (", "client="),
    *("size=", "nrcpt=", "sasl_username=", "removed", "uid=0 from=<", "queued as ", "said: 550 5.1.1 "),
    *("550-5.7.1 ", "blocked using ", "<= ", "=> ", "-> ", "** ", "== ", "Completed", "A=plain:", "P=esmtpsa"),
    *("H=x [", "R=", "T=", "frozen", "for ", "stat=Deferred: ", "ctladdr=", "mailer=", "evpid=", 'result="Ok"'),
    *("user=<", "rip=", "method=", "auth failed", "#Fields: date-time,event-id\n", "RECEIVE,", ",,,,", '""'),
    *("[{LED=550 5.1.1}]", "Z,", "\ufeff", "2.0.0", "127.0.0.1", "\n", "\r", "\r\n", "\t", "\x00", "\x1b[31m"),
    *("\x0b", "\x0c", "\x1c", "\x7f", "\x85", "\u2028", "\u202e", "�", "ä", "€", "😀", "\u0663", "²", "\\xff", "0"),
    *("-1", "99999999999999999999", "1e9", "Feb 29 ", "Jan  1 00:00:00 ", "0000-00-00T00:00:00Z"),
    *("9999-12-31T23:59:59-12:00", "@4000000000000000ffffffff", "4AA091855DA0: ", "4jYgM74ky5zJbNv: "),
    *("1tAbCd-000000005vi-0000 ", "postfix/smtpd[1]: ", "exim[1]: ", "NOQUEUE: "),
)

_Mutation = Callable[[random.Random, str, Sequence[str]], str]


def _span(chance: random.Random, line: str) -> tuple[int, int]:
    start = chance.randint(0, len(line))
    return start, min(len(line), start + chance.choice((1, 2, 5, 20, 100)))


def _delete(chance: random.Random, line: str, _: Sequence[str]) -> str:
    start, end = _span(chance, line)
    return line[:start] + line[end:]


def _cut_off(chance: random.Random, line: str, _: Sequence[str]) -> str:
    return line[: chance.randint(0, len(line))]


def _repeat(chance: random.Random, line: str, _: Sequence[str]) -> str:
    start, end = _span(chance, line)
    return line[:end] + line[start:end] * chance.choice((1, 1, 2, 50)) + line[end:]


def _insert_words(chance: random.Random, line: str, _: Sequence[str]) -> str:
    at = chance.randint(0, len(line))
    words = "".join(chance.choices(_WORDS, k=chance.choice((1, 1, 1, 2, 5))))
    return line[:at] + words + line[at:]


def _replace(chance: random.Random, line: str, _: Sequence[str]) -> str:
    start, end = _span(chance, line)
    return line[:start] + chance.choice(_WORDS) + line[end:]


def _splice(chance: random.Random, line: str, lines: Sequence[str]) -> str:
    other = chance.choice(lines)
    return line[: chance.randint(0, len(line))] + other[chance.randint(0, len(other)) :]


def _swap_case(chance: random.Random, line: str, _: Sequence[str]) -> str:
    start, end = _span(chance, line)
    return line[:start] + line[start:end].swapcase() + line[end:]


_MUTATIONS: tuple[_Mutation, ...] = (
    *(_delete, _cut_off, _repeat, _insert_words, _insert_words, _replace, _splice, _swap_case),
)


def hostile_block(chance: random.Random, lines: Sequence[str]) -> str:
    """Return one to three lines, made of the given ones, most of them changed."""
    made = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        line = chance.choice(lines)
        for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
            line = chance.choice(_MUTATIONS)(chance, line, lines)
        made.append(line)
    return "\n".join(made) + "\n"


def pumped(chance: random.Random, lines: Sequence[str]) -> Callable[[int], str]:
    """Return a maker of one line of any length: a known line with one place of it blown up."""
    line = chance.choice(lines)
    at = chance.randint(0, len(line))
    word = "".join(chance.choices(_WORDS, k=chance.choice((1, 1, 2)))).replace("\n", "") or "x"
    if chance.random() < 0.3:
        start, end = _span(chance, line)
        word = line[start:end] or word
    return lambda length: line[:at] + word * (length // len(word)) + line[at:] + "\n"
