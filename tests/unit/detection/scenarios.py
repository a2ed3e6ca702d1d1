"""Small towns of invented mail: each function returns the events of one role, honest or not.

Nothing is drawn at random: what varies does so by plain arithmetic on a counter, so that every
run tells the same story.  ``town`` is the quiet population that every scenario is set in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from outwarden.events import AccountKind, Attempted, Event, Outcome, RefusalClass, Submitted

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
UNKNOWN = RefusalClass.UNKNOWN_RECIPIENT
SPAM = RefusalClass.CONTENT_REFUSED
LISTED = RefusalClass.ADDRESS_BLOCKLISTED

Answer = Callable[[int], RefusalClass | None]
"""What the remote makes of the nth recipient: None takes it."""


def at(day: int, hour: float, seconds: float = 0) -> datetime:
    """A moment of the story, in days and hours since its first midnight."""
    return MIDNIGHT + timedelta(days=day, hours=hour, seconds=seconds)


def taken(_: int) -> None:
    """Every recipient exists and takes the mail."""


def every(nth: int, refusal: RefusalClass, otherwise: Answer = taken) -> Answer:
    """Every nth recipient is refused like that."""
    return lambda number: refusal if number % nth == nth - 1 else otherwise(number)


def spammed(number: int) -> RefusalClass | None:
    """What remotes make of spam to a bought list: 16 % unknown, 14 % refused."""
    return UNKNOWN if number % 6 == 1 else SPAM if number % 7 == 2 else None


def message(
    when: datetime,
    account: str,
    recipients: Iterable[str],
    *,
    client: str | None = "192.0.2.7",
    kind: AccountKind = AccountKind.LOGIN,
    answer: Answer = taken,
    first: int = 0,
    size: int = 0,
    outbound: bool = True,
    original: str | None = None,
    listing: tuple[str, str] | None = None,
) -> Iterator[Event]:
    """One message and what became of it two seconds later; ``first`` numbers its first recipient for ``answer``."""
    to = list(recipients)
    queue_id = f"{account}-{when.isoformat()}-{to[0]}"
    proof = f"{when:%b %d %H:%M:%S} mx smtpd[1]: {queue_id}: client=unknown[{client}], account={account}"
    yield Submitted(
        at=when,
        host="mx",
        queue_id=queue_id,
        account=account,
        kind=kind,
        client_address=client if kind is not AccountKind.LOCAL else None,
        sender=account,
        recipients=len(to),
        size=size or 2_000 + len(queue_id) * 37 % 9_000 + int(when.timestamp()) % 977,
        line=proof,
    )
    for number, recipient in enumerate(to, start=first):
        refusal = answer(number)
        name, listed = listing if listing and refusal is LISTED else (None, None)
        yield Attempted(
            at=when + timedelta(seconds=2),
            host="mx",
            queue_id=queue_id,
            account=account,
            kind=kind,
            recipient=recipient,
            outcome=Outcome.DELIVERED if refusal is None else Outcome.BOUNCED,
            refusal_class=refusal,
            sender=account,
            outbound=outbound,
            original_recipient=original,
            listing=name,
            listed=listed,
            line=f"{when:%b %d %H:%M:%S} mx smtp[2]: {queue_id}: to=<{recipient}>, {refusal or 'sent'}",
        )


def strangers(prefix: str, count: int, start: int = 0) -> list[str]:
    """Recipients nobody has written to before, at many domains."""
    domains = ("gmail.com", "outlook.com", "gmx.net", "orange.fr", *(f"firm{n}.example" for n in range(23)))
    return [f"{prefix}{number}@{domains[number * 7 % len(domains)]}" for number in range(start, start + count)]


def run_of(
    account: str,
    begin: datetime,
    messages: int,
    every_seconds: float,
    *,
    each: int = 1,
    clients: tuple[str, ...] = ("192.0.2.7",),
    kind: AccountKind = AccountKind.LOGIN,
    answer: Answer = taken,
    size: int = 0,
) -> list[Event]:
    """Messages to strangers at an even pace, ``each`` recipients in each."""
    events: list[Event] = []
    to = strangers(f"{account.partition('@')[0]}.{begin:%d%H}.", messages * each)
    for number in range(messages):
        events += message(
            begin + timedelta(seconds=number * every_seconds),
            account,
            to[number * each : (number + 1) * each],
            client=clients[number % len(clients)],
            kind=kind,
            answer=answer,
            first=number * each,
            size=size,
        )
    return events


def town(days: int = 3, people: int = 60) -> list[Event]:
    """Sixty people who write a few messages a day from home; 1 recipient in 60 unknown, 1 in 150 refused."""
    events: list[Event] = []
    answer = every(60, UNKNOWN, every(150, SPAM))
    for person in range(people):
        account = f"person{person}@isp.example"
        friends = strangers(f"friend{person}.", 25)
        for day in range(days):
            for letter in range(1 + (person + day) % 4):
                number = person * 31 + day * 7 + letter
                to = [friends[number * 5 % 25]] if number % 9 else friends[number % 20 : number % 20 + 3]
                when = at(day, 8 + (number * 13 % 100) / 10, person)
                events += message(when, account, to, client=f"198.51.{person}.9", answer=answer, first=number * 11)
    return events


def in_order(*stories: Iterable[Event]) -> list[Event]:
    """Several stories as one log would tell them."""
    return sorted((event for story in stories for event in story), key=lambda event: event.at)


# ------------------------------------------------------------------------- honest roles


def newsletter() -> list[Event]:
    """5,000 readers once, from the usual network, 1 % unknown, 0.5 % refused; never announced before."""
    return run_of("news@club.example", at(2, 10), 5_000, 0.8, answer=every(100, UNKNOWN, every(200, SPAM)), size=48_213)


def newsletter_in_batches() -> list[Event]:
    """The same readers in messages of a hundred, by somebody who writes letters otherwise."""
    letters = run_of("club@club.example", at(0, 9), 6, 9_000)
    return letters + run_of("club@club.example", at(2, 10), 50, 40, each=100, answer=every(90, UNKNOWN))


def mailing_list() -> list[Event]:
    """A list of forty members, eight posts a day, handed in again on the loopback."""
    members = strangers("member", 40)
    return [
        event
        for day in range(3)
        for post in range(8)
        for event in message(
            at(day, 8 + post),
            "chess-bounces@lists.example",
            members,
            client="127.0.0.1",
            kind=AccountKind.ADDRESS,
            answer=every(40, RefusalClass.MAILBOX_FULL),
        )
    ]


def forwarder() -> list[Event]:
    """An alias that forwards what comes in, spam too; half of it is refused as spam."""
    return [
        event
        for number in range(120)
        for event in message(
            at(number % 3, 1 + number % 20, number),
            f"offer{number}@elsewhere.example",
            ["choir.box@gmail.com"],
            client=f"203.0.{number}.5",
            kind=AccountKind.ADDRESS,
            answer=lambda _, number=number: SPAM if number % 2 else None,  # type: ignore[misc]
            original="club@choir.example",
        )
    ]


def redirecting_rule() -> list[Event]:
    """A filter rule that redirects: comes in as a stranger's, goes out by a local program in the stranger's name."""
    events: list[Event] = []
    for number in range(200):
        when = at(2, 3, number * 15)
        events += message(
            when,
            "bulk@spammer.example",
            [f"person{number % 60}@isp.example"],
            client="203.0.113.9",
            kind=AccountKind.ADDRESS,
            outbound=False,
        )
        events += message(
            when + timedelta(seconds=3),
            "bulk@spammer.example",
            [f"private{number}@gmail.com"],
            kind=AccountKind.LOCAL,
            answer=spammed,
            first=number,
        )
    return events


def back_from_holiday() -> list[Event]:
    """Nothing for two days, then sixty answers within an hour, two of them to dead addresses."""
    before = run_of("otto@isp.example", at(0, 9), 5, 3_000)
    return before + run_of("otto@isp.example", at(2, 9), 60, 55, answer=every(30, UNKNOWN))


def invoice_run() -> list[Event]:
    """Three hundred invoices in half an hour, 2 % of the addresses dead."""
    return run_of("billing@firm.example", at(1, 6), 300, 6, answer=every(50, UNKNOWN), size=88_120)


def traveller() -> list[Event]:
    """At home for two days, then three hotels in one, with the usual few letters."""
    home = [event for day in range(2) for event in run_of("ines@isp.example", at(day, 9), 6, 3_600)]
    hotels = ("203.0.113.4", "198.18.5.4", "198.19.7.4")
    return home + run_of("ines@isp.example", at(2, 7), 7, 6_000, clients=hotels)


def telephone() -> list[Event]:
    """Another address of the carrier for every letter."""
    clients = tuple(f"100.96.{number}.77" for number in range(30))
    return [
        event
        for day in range(3)
        for event in run_of("lena@isp.example", at(day, 8), 9, 4_000, clients=clients[day * 9 : day * 9 + 9])
    ]


def stale_alumni_list() -> list[Event]:
    """Three hundred former students, one in five address dead, from the usual desk."""
    letters = run_of("alumni@school.example", at(0, 9), 6, 9_000)
    return letters + run_of("alumni@school.example", at(2, 11), 6, 60, each=50, answer=every(5, UNKNOWN))


def monitoring_storm() -> list[Event]:
    """Four hundred alarms of one size to the same two mailboxes, from a local program."""
    return [
        event
        for number in range(400)
        for event in message(
            at(2, 14, number * 4),
            "root@isp.example",
            ["ops@firm1.example", "ops@firm2.example"],
            kind=AccountKind.LOCAL,
            size=1_204,
        )
    ]


def web_form() -> list[Event]:
    """A contact form that confirms to whatever visitors typed: one in twelve does not exist."""
    return [
        event
        for day in range(3)
        for event in run_of(
            "www-data@isp.example",
            at(day, 7),
            25,
            2_200,
            kind=AccountKind.LOCAL,
            answer=every(12, UNKNOWN),
        )
    ]


def inbound_spam() -> list[Event]:
    """A stranger who sends spam to our people, many of whom do not exist."""
    return [
        event
        for number in range(500)
        for event in message(
            at(2, 2, number * 3),
            "bulk@spammer.example",
            [f"guess{number}@isp.example"],
            client="203.0.113.9",
            kind=AccountKind.ADDRESS,
            answer=spammed,
            first=number,
            outbound=False,
        )
    ]


def gateway() -> list[Event]:
    """Strangers' mail that we pass on to customers' own servers, which refuse much of it."""
    return [
        event
        for number in range(500)
        for event in message(
            at(2, 2, number * 5),
            f"bulk{number}@spammer.example",
            [f"guess{number}@customer{number % 12}.example"],
            client="203.0.113.9",
            kind=AccountKind.ADDRESS,
            answer=spammed,
            first=number,
        )
    ]


# ------------------------------------------------------------------------- attacks

VICTIM = "rosa@isp.example"
BEGIN = at(2, 1, 620)
"""Ten past one in the third night."""


def own_life(account: str = VICTIM) -> list[Event]:
    """The victim's own letters, before and during the theft."""
    return [event for day in range(3) for event in run_of(account, at(day, 9), 6, 3_600, clients=("198.51.200.9",))]


def botnet() -> list[Event]:
    """A stolen password used from nine networks: 450 recipients in an hour and a half."""
    clients = tuple(f"203.0.{number}.66" for number in range(9))
    return own_life() + run_of(VICTIM, BEGIN, 90, 60, each=5, clients=clients, answer=spammed)


def one_new_network() -> list[Event]:
    """A stolen password used from one single network."""
    return own_life() + run_of(VICTIM, BEGIN, 60, 50, each=5, clients=("203.0.113.66",), answer=spammed)


def low_and_slow() -> list[Event]:
    """Twelve recipients an hour for twenty hours, from two networks; only the refusals show it."""
    clients = ("203.0.113.66", "198.18.0.66")
    return own_life() + run_of(VICTIM, BEGIN, 240, 300, clients=clients, answer=spammed)


def first_seen_as_a_thief() -> list[Event]:
    """An account without a past in this log, used from eight networks."""
    clients = tuple(f"203.0.{number}.66" for number in range(8))
    return run_of(VICTIM, BEGIN, 120, 30, each=4, clients=clients, answer=spammed)


def hijacked_script() -> list[Event]:
    """A web site's script that bursts: no login, no address."""
    before = [
        event
        for day in range(2)
        for event in run_of("www-data@shop.example", at(day, 9), 12, 2_000, kind=AccountKind.LOCAL)
    ]
    return before + run_of("www-data@shop.example", BEGIN, 400, 6, kind=AccountKind.LOCAL, answer=spammed, size=3_204)


def open_relay() -> list[Event]:
    """A stranger who sends to strangers through us, with another sender each time."""
    return [
        event
        for number, recipient in enumerate(strangers("mark", 600))
        for event in message(
            BEGIN + timedelta(seconds=number * 4),
            f"sale{number}@spammer.example",
            [recipient],
            client="203.0.113.66",
            kind=AccountKind.ADDRESS,
            answer=spammed,
            first=number,
        )
    ]
