"""The stolen account of the sample: at night somebody else logs in with its password and sends."""

from outwarden.cli.sample_day.clock import HOUR, MINUTE, SECOND
from outwarden.cli.sample_day.postfix_lines import Session
from outwarden.cli.sample_day.provider import Client, Person, Recipient
from outwarden.cli.sample_day.stage import Stage

NETWORKS = 9


class Theft:
    """A botnet with one password, from the first message until the password is changed."""

    def __init__(self, stage: Stage, victim: Person, start: int) -> None:
        self._stage, self.victim = stage, victim
        self.start = self.end = start
        self._bots = [
            Client("unknown", f"198.{18 + number % 2}.{17 + 25 * number}.{stage.chance.randrange(1, 255)}")
            for number in range(NETWORKS)
        ]

    @property
    def networks(self) -> frozenset[str]:
        """The /24 networks that the thief came from."""
        return frozenset(bot.address.rpartition(".")[0] + ".0/24" for bot in self._bots)

    def run(self) -> None:
        """Send in short sessions, faster and faster, for five and a half hours."""
        stage, chance = self._stage, self._stage.chance
        stop, at = self.start + 5 * HOUR + 30 * MINUTE, self.start
        # The first session sends at once, so that the start is exact to the second.
        while at < stop:
            hours = (at - self.start) / HOUR
            session = stage.server.connect(at, chance.choice(self._bots), self.victim.login)
            for _ in range(chance.randrange(1, 5)):
                self.end = session.now
                self._send(hours, session)
            stage.server.disconnect(session)
            at += int(chance.uniform(60, 320) / (1 + hours / 2) * SECOND) + SECOND
        self._locked_out(stop)

    def _send(self, hours: float, session: Session) -> None:
        stage, chance = self._stage, self._stage.chance
        number = chance.randrange(3, 8 + int(hours * 3))
        to = {stranger.address: stranger for stranger in (stage.provider.stranger(0.17, 0.02) for _ in range(number))}
        forged = chance.random() < 0.15
        sender = f"billing{chance.randrange(9)}@isp.example" if forged else self.victim.sender
        envelope = stage.envelope(sender, tuple(to.values()), 0.12, Recipient(sender, None))
        stage.server.receive(session, envelope, filtered=chance.random() < 0.3)

    def _locked_out(self, at: int) -> None:
        """After the password has been changed the bots keep knocking."""
        for moment in self._stage.series(at + 2 * MINUTE, at + 3 * HOUR, 90):
            bot = self._stage.chance.choice(self._bots)
            process = self._stage.server.process("postfix/submission/smtpd")
            where = f"{bot.name}[{bot.address}]"
            self._stage.server.write(moment, process, f"connect from {where}")
            words = f"warning: {where}: SASL PLAIN authentication failed: , sasl_username={self.victim.login}"
            self._stage.server.write(moment + SECOND, process, words)
            words = f"disconnect from {where} ehlo=1 auth=0/1 commands=1/2"
            self._stage.server.write(moment + 2 * SECOND, process, words)
