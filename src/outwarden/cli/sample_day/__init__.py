"""A sample day of an invented provider: its Postfix log, and the truth about it.

The log covers a long Easter weekend, Thursday to Monday, with little mail, and the Tuesday after
it with more than 20,000 messages.  In the night to Tuesday one account is stolen.  On the same
day five honest senders do what looks like spam: a newsletter to 5,000 readers that nobody has
announced, a forwarder, a mailing list, somebody back from holiday, and a monitoring storm.  The
theft brings the server onto a blocklist for some hours, which meets the honest too.

Everything is drawn from one seed and nothing from the clock: the same seed gives the same lines.
Not in it: other mail servers' logs, TLS failures, milters that hold mail.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from outwarden.cli.sample_day import noise, roles
from outwarden.cli.sample_day.clock import HOUR, MINUTE, clock
from outwarden.cli.sample_day.postfix_lines import MailServer
from outwarden.cli.sample_day.provider import HOST, Person, Provider
from outwarden.cli.sample_day.remotes import Remotes
from outwarden.cli.sample_day.stage import Stage
from outwarden.cli.sample_day.theft import Theft
from outwarden.cli.sample_day.truth import AccountTruth, SampleTruth

__all__ = ["AccountTruth", "SampleTruth", "sample_day", "sample_truth"]

FIRST_MIDNIGHT = datetime(2026, 4, 2, tzinfo=UTC)
THE_DAY = 5
"""The number of the busy Tuesday, the first day being 0."""

_SHARES = (0.7, 0.4, 0.45, 0.35, 0.5, 1.0)
"""How much of their usual mail people write on each day."""


def sample_day(seed: int = 1) -> Iterator[str]:
    """Yield the log lines, each with its newline, in the order of time."""
    server = _play(seed)[0]
    server.lines.sort()
    for at, _, text in server.lines:
        stamp = FIRST_MIDNIGHT + timedelta(microseconds=at)
        yield f"{stamp.isoformat(timespec='microseconds')} {HOST} {text}\n"


def sample_truth(seed: int = 1) -> SampleTruth:
    """Return the truth about the sample day of that seed."""
    server, theft, holiday = _play(seed)
    return SampleTruth(
        compromised=theft.victim.login,
        start=FIRST_MIDNIGHT + timedelta(microseconds=theft.start),
        end=FIRST_MIDNIGHT + timedelta(microseconds=theft.end),
        networks=theft.networks,
        honest={
            "newsletter": roles.NEWSLETTER,
            "forwarder": roles.FORWARDER,
            "mailing list": roles.MAILING_LIST,
            "back from holiday": holiday.person.login,
            "web form": roles.WEB_FORM,
            "cron": roles.CRON,
            "monitoring": roles.MONITORING,
        },
        accounts={account: tally.truth() for account, tally in sorted(server.tallies.items())},
        lines=len(server.lines),
    )


def _play(seed: int) -> tuple[MailServer, Theft, roles.Holiday]:
    chance = Random(seed)  # noqa: S311 - a story, not a secret
    start = clock(THE_DAY, 1, chance.randrange(10, 150), chance.randrange(60))
    remotes = Remotes(chance, listed_from=start + 50 * MINUTE, listed_until=start + 7 * HOUR)
    server = MailServer(chance, clock(THE_DAY + 1, 0), remotes.judge)
    stage = Stage(Provider(chance), server, chance)
    theft = Theft(stage, _typical(stage, 7), start)
    holiday = roles.Holiday(stage, _typical(stage, 23))
    for day, share in enumerate(_SHARES):
        _any_day(stage, day, share, holiday.person.login)
    holiday.last_day_of_work(0)
    holiday.mail_piles_up(1, THE_DAY)
    _the_day(stage)
    holiday.return_to_desk(THE_DAY)
    theft.run()
    return server, theft, holiday


def _typical(stage: Stage, nth: int) -> Person:
    """Return the nth person who writes a few messages a day, not from the list's members."""
    ordinary = [person for person in stage.provider.people[70:] if 2 < person.messages_per_day < 6]
    return ordinary[nth]


def _any_day(stage: Stage, day: int, share: float, away: str) -> None:
    roles.ordinary_people(stage, day, share, frozenset({away}))
    roles.cron(stage, day)
    roles.mail_to_dead_hosts(stage, day, 3)
    noise.logins(stage, day, share)
    noise.strangers(stage, day, 600 if day == THE_DAY else 80)
    noise.other_programs(stage, day, 1_500 if day == THE_DAY else 150)
    if day != THE_DAY:
        roles.inbound(stage, day, 250)
        roles.newsletter_at_rest(stage, day)
        roles.forwarder(stage, day, 25)
        roles.mailing_list(stage, day, 2)
        roles.web_form(stage, day, 6)
        roles.monitoring(stage, clock(day, 0), clock(day, 24), 6)


def _the_day(stage: Stage) -> None:
    roles.inbound(stage, THE_DAY, 11_500)
    roles.newsletter(stage, THE_DAY)
    roles.forwarder(stage, THE_DAY, 160)
    roles.mailing_list(stage, THE_DAY, 9)
    roles.web_form(stage, THE_DAY, 25)
    roles.monitoring(stage, clock(THE_DAY, 14, 20), clock(THE_DAY, 14, 44), 420)
