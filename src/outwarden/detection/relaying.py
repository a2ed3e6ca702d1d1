"""Mail from outside that leaves again: forwarded for one of our mailboxes, or relayed for a stranger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from outwarden.events import Attempted, Finding, Outcome

FORWARDS_SPAM = "forwards-spam"
OPEN_RELAY = "open-relay"
_MOST_POINTS = 1.5
"""Too little to change a verdict by itself: a listing that follows from it will."""

PUBLIC_RECEIVERS = frozenset(
    """aol.com att.net bluewin.ch btinternet.com comcast.net free.fr gmail.com gmx.at gmx.ch gmx.de gmx.net
    googlemail.com hotmail.com hotmail.fr icloud.com laposte.net libero.it live.com mac.com mail.com mail.ru me.com
    msn.com naver.com orange.fr outlook.com outlook.de protonmail.com qq.com rediffmail.com seznam.cz sfr.fr
    t-online.de ukr.net verizon.net wanadoo.fr web.de wp.pl yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr
    yandex.ru 163.com 126.com""".split()
)
"""Receivers whose mail nobody else takes in for them.

Whoever relays from strangers to several of these is no gateway in front of its customers' servers.
"""


class Forward:
    """One mailbox of ours whose mail from outside goes on to another address."""

    __slots__ = ("first_refused_at", "forwarded", "lines", "mailbox", "refused", "target")

    def __init__(self, mailbox: str) -> None:
        self.mailbox = mailbox
        self.target = ""
        self.forwarded = self.refused = 0
        self.first_refused_at: datetime | None = None
        self.lines: tuple[str, ...] = ()

    def count(self, event: Attempted, as_spam: bool) -> None:
        """Count one attempt at the forward's target."""
        if event.outcome is Outcome.DELIVERED or event.outcome is Outcome.BOUNCED:
            self.forwarded += 1
        if as_spam:
            self.refused += 1
            self.target = event.recipient
            self.first_refused_at = self.first_refused_at or event.at
            if len(self.lines) < 3 and event.line:
                self.lines += (event.line,)


def forwarding_findings(forwards: dict[str, Forward]) -> list[Finding]:
    """Return the forwards whose target refuses our mail as spam, worst first, at most ten.

    The mail is a stranger's and the mailbox's owner only receives it, so this accuses nobody; but
    the target counts it against our server.
    """
    worst = sorted((one for one in forwards.values() if one.refused >= 3), key=lambda one: (-one.refused, one.mailbox))
    return [
        Finding(
            rule=FORWARDS_SPAM,
            points=min(_MOST_POINTS, one.refused / 5),
            text=f"{one.mailbox} forwards incoming spam to {one.target}: {one.refused} of {one.forwarded} refused",
            at=one.first_refused_at,
            evidence=one.lines,
        )
        for one in worst[:10]
    ]


def relay_finding(client: str, points: float, findings: Sequence[Finding], at: datetime | None) -> Finding:
    """Return the finding about a stranger who sends through us without a login."""
    reasons = "; ".join(one.text for one in findings if one.points > 0)
    return Finding(
        rule=OPEN_RELAY,
        points=points,
        text=f"{client} sends through this server to strangers without a login: {reasons}",
        at=at,
        evidence=tuple(line for one in findings for line in one.evidence)[:3],
    )
