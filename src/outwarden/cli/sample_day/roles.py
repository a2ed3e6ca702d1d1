"""The honest of the sample: ordinary people, and those whose mail looks like spam and is not."""

from outwarden.cli.sample_day.clock import HOUR, MINUTE, SECOND, clock
from outwarden.cli.sample_day.postfix_lines import Envelope
from outwarden.cli.sample_day.provider import Client, Person, Recipient
from outwarden.cli.sample_day.stage import Stage

NEWSLETTER = "newsletter@rowing-club.example"
FORWARDER = "club@choir.example"
MAILING_LIST = "chess-bounces@lists.isp.example"
WEB_FORM = "www-data@isp.example"
CRON = "root@isp.example"
MONITORING = "nagios@isp.example"

_NEWSLETTER_HOST = Client("www.rowing-club.example", "100.127.40.9")
_MONITORING_HOST = Client("nagios.isp.example", "192.0.2.40")
_LOOPBACK = Client("localhost", "127.0.0.1")
_POSTMASTER = Recipient("postmaster@isp.example", None)
_NEWSLETTER_RECIPIENTS = 5_000


def ordinary_people(stage: Stage, day: int, share: float, but: frozenset[str]) -> None:
    """Let everybody write as much as they do, times ``share``, in their own hours."""
    for person in stage.provider.people:
        if person.login in but:
            continue
        expected = person.messages_per_day * share
        number = int(expected) + (stage.chance.random() < expected % 1)
        travels = stage.chance.random() < 0.06
        for _ in range(number):
            client = person.away if travels and stage.chance.random() < 0.6 else person.home
            stage.write_mail(person, clock(day, 0) + waking_moment(stage, person), client)


def waking_moment(stage: Stage, person: Person) -> int:
    """Return a time of day at which this person is at the keyboard."""
    hour = min(23.4, max(5.5, stage.chance.gauss(person.busiest_hour, 2.6)))
    return int(hour * HOUR)


def inbound(stage: Stage, day: int, number: int) -> None:
    """Bring in what the world writes to our people, most of it by day."""
    people, chance = stage.provider.people, stage.chance
    known = [stage.provider.stranger(0.1) for _ in range(1_500)]

    def letter() -> tuple[Recipient, Recipient | None, float]:
        sender = None if chance.random() < 0.02 else known[min(int(chance.paretovariate(0.6)) - 1, 1_499)]
        return Recipient(chance.choice(people).sender, None), sender, 0.0

    while number > 0:
        letters = [letter() for _ in range(min(number, chance.choice((1, 1, 2, 5))))]
        number -= len(letters)
        stage.strangers_write(clock(day, 0) + int(min(23.9, abs(chance.gauss(12.5, 5.5))) * HOUR), *letters)


def newsletter_at_rest(stage: Stage, day: int) -> None:
    """On other days the newsletter's account answers a few readers, from the same host."""
    for at in stage.series(clock(day, 9), clock(day, 17), 3):
        envelope = stage.envelope(NEWSLETTER, (stage.provider.stranger(),))
        stage.send(at, _NEWSLETTER_HOST, NEWSLETTER, envelope)


def newsletter(stage: Stage, day: int) -> None:
    """Send the monthly newsletter: one message for each reader, fifty connections of a hundred."""
    sent = 0
    for at in stage.series(clock(day, 10, 15), clock(day, 11, 30), 50):
        session = stage.server.connect(at, _NEWSLETTER_HOST, NEWSLETTER)
        for _ in range(_NEWSLETTER_RECIPIENTS // 50):
            sent += 1
            reader = stage.provider.stranger(0.012, 0.006)
            reader = reader._replace(address=f"reader{sent}.{reader.address}")
            envelope = stage.envelope(NEWSLETTER, (reader,), spam=0.001)._replace(size=48_213 + sent % 17)
            stage.server.receive(session, envelope)
        stage.server.disconnect(session)


def forwarder(stage: Stage, day: int, number: int) -> None:
    """Forward what comes for an alias, spam too, to a mailbox at a big provider that refuses much of it."""
    box = Recipient("choir.box@bigmail.example", stage.provider.big[0], original=FORWARDER)
    for at in stage.series(clock(day, 0, 5), clock(day, 23, 40), number):
        is_spam = stage.chance.random() < 0.6
        sender = stage.provider.stranger(0.5 if is_spam else 0.0)
        sender = sender._replace(address=f"offer{stage.chance.randrange(9_999)}.{sender.address}")
        stage.strangers_write(at, (box, sender, 0.6 if is_spam else 0.0))


def mailing_list(stage: Stage, day: int, posts: int) -> None:
    """Let members post; the list manager hands each post in again on the loopback, to all members."""
    ours = tuple(Recipient(person.sender, None) for person in stage.provider.people[40:65])
    members = ours + tuple(
        Recipient(f"chess{number}@{where.domain}", where, fault="full" if number % 47 == 0 else "")
        for number, where in enumerate(stage.provider.destinations)
    )
    to_list = (Recipient("chess@lists.isp.example", None),)
    for at in stage.series(clock(day, 8), clock(day, 22), posts):
        member = stage.chance.choice(stage.provider.people[40:65])
        post = stage.envelope(member.sender, to_list)
        if stage.chance.random() < 0.5:
            stage.send(at, member.home, member.login, post)
        else:
            stranger = stage.provider.stranger()
            post = post._replace(sender=stranger.address, returns_to=stranger)
            session = stage.server.connect(at, stage.provider.sending_host())
            stage.server.receive(session, post)
            stage.server.disconnect(session)
        again = Envelope(MAILING_LIST, members, post.size + 900, post.message_id, Recipient(MAILING_LIST, None))
        session = stage.server.connect(at + 4 * SECOND, _LOOPBACK)
        stage.server.receive(session, again)
        stage.server.disconnect(session)


class Holiday:
    """One who is silent for days while mail piles up, and answers it all within an hour."""

    def __init__(self, stage: Stage, person: Person) -> None:
        self._stage, self.person = stage, person
        self._writers = [stage.provider.stranger() for _ in range(55)]

    def last_day_of_work(self, day: int) -> None:
        """Write a few messages before leaving."""
        for at in self._stage.series(clock(day, 9), clock(day, 16), 7):
            self._stage.write_mail(self.person, at)

    def mail_piles_up(self, first_day: int, last_day: int) -> None:
        """Bring in the mail that will be answered."""
        moments = self._stage.series(clock(first_day, 8), clock(last_day, 8), len(self._writers))
        for at, writer in zip(moments, self._writers, strict=True):
            self._stage.strangers_write(at, (Recipient(self.person.sender, None), writer, 0.0))

    def return_to_desk(self, day: int) -> None:
        """Answer everybody, and write to a few old contacts."""
        old_contacts = self._stage.chance.sample(self.person.contacts, 4)
        answered = [*self._writers, *old_contacts, self._stage.provider.stranger(1.0)]
        moments = self._stage.series(clock(day, 9, 4), clock(day, 10, 0), len(answered))
        for at, writer in zip(moments, answered, strict=True):
            envelope = self._stage.envelope(self.person.sender, (writer,))
            self._stage.send(at, self.person.home, self.person.login, envelope)


def web_form(stage: Stage, day: int, number: int) -> None:
    """Let a contact form mail its owner, and confirm to whatever address a visitor typed."""
    for at in stage.series(clock(day, 6), clock(day, 23), number):
        visitor = stage.provider.stranger(0.08)
        for to in (Recipient("office@bakery.example", None), visitor):
            envelope = stage.envelope(WEB_FORM, (to,), returns_to=_POSTMASTER)
            stage.server.pick_up(at, 33, "www-data", envelope, "X-PHP-Originating-Script: 33:contact.php")


def cron(stage: Stage, day: int) -> None:
    """Mail the output of the hourly jobs to root, who is an alias."""
    for hour in range(24):
        for minute in (5, 17, 25):
            to = Recipient("postmaster@isp.example", None, original="root")
            at = clock(day, hour, minute, stage.chance.randrange(1, 5))
            stage.server.pick_up(at, 0, "root", stage.envelope(CRON, (to,)))


def monitoring(stage: Stage, begin: int, end: int, number: int) -> None:
    """Report from the monitoring host to the people on call; a storm when something is broken."""
    on_call = Recipient("oncall.isp@bigmail.example", stage.provider.big[0])
    for at in stage.series(begin, end, number):
        session = stage.server.connect(at, _MONITORING_HOST)
        stage.server.receive(session, stage.envelope(MONITORING, (on_call, Recipient("noc@isp.example", None))))
        stage.server.disconnect(session)


def mail_to_dead_hosts(stage: Stage, day: int, number: int) -> None:
    """Write to hosts that do not answer (this expires in the end) and to domains that do not exist."""
    for at in stage.series(clock(day, 9), clock(day, 18), number):
        person = stage.chance.choice(stage.provider.people)
        for fault in ("dead", "no-domain", "large"):
            where = stage.provider.destinations[-1 - stage.chance.randrange(9)]
            domain = f"{fault}-{where.domain}"
            to = Recipient(f"{stage.provider.name()}+old=1@{domain}", where._replace(domain=domain), fault=fault)
            stage.send(at + MINUTE, person.home, person.login, stage.envelope(person.sender, (to,)))
