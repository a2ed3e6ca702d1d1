"""What every story of the sample needs at hand, and the small moves they share."""

from dataclasses import dataclass
from random import Random

from outwarden.cli.sample_day.postfix_lines import Envelope, MailServer
from outwarden.cli.sample_day.provider import Client, Person, Provider, Recipient


@dataclass(slots=True)
class Stage:
    """The provider, its server, and the dice."""

    provider: Provider
    server: MailServer
    chance: Random

    def envelope(
        self, sender: str, recipients: tuple[Recipient, ...], spam: float = 0.0, returns_to: Recipient | None = None
    ) -> Envelope:
        """Return a message of some size; its notifications come back to one of our mailboxes by default."""
        return Envelope(
            sender=sender,
            recipients=recipients,
            size=int(self.chance.lognormvariate(9, 1.3)) + 600,
            message_id=f"{self.chance.randrange(1 << 48):x}@{sender.rpartition('@')[2].lower() or 'remote.example'}",
            returns_to=returns_to or Recipient(sender, None),
            spam=spam,
        )

    def send(self, at: int, client: Client, login: str, envelope: Envelope, filtered: bool = False) -> None:
        """Send one message over a connection of its own, logged in."""
        session = self.server.connect(at, client, login)
        self.server.receive(session, envelope, filtered)
        self.server.disconnect(session)

    def write_mail(self, person: Person, at: int, client: Client | None = None) -> None:
        """Let a person write to people they know, and now and then to somebody new."""
        chance = self.chance
        draw = chance.random()
        number = 1 if draw < 0.85 else chance.randrange(2, 6) if draw < 0.985 else chance.randrange(6, 16)
        chosen = {
            recipient.address: recipient
            for recipient in (
                self.provider.stranger(0.03, 0.01) if chance.random() < 0.04 else chance.choice(person.contacts)
                for _ in range(number)
            )
        }
        envelope = self.envelope(person.sender, tuple(chosen.values()), spam=0.002)
        self.send(at, client or person.home, person.login, envelope, filtered=chance.random() < 0.25)

    def strangers_write(self, at: int, *letters: tuple[Recipient, Recipient | None, float]) -> None:
        """Let a remote host bring messages in: to whom, from whom (None: a notification), how much like spam."""
        session = self.server.connect(at, self.provider.sending_host())
        for to, sender, spam in letters:
            envelope = self.envelope(sender.address if sender else "", (to,), spam, sender)
            self.server.receive(session, envelope, filtered=self.chance.random() < 0.15 and not to.original)
        self.server.disconnect(session)

    def series(self, begin: int, end: int, number: int) -> list[int]:
        """Return that many moments in order, spread over begin to end with some disorder."""
        step = (end - begin) // max(number, 1)
        return [begin + step * place + self.chance.randrange(max(step, 1)) for place in range(number)]
