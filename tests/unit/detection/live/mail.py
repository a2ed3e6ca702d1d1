"""Mail of a small site, told minute by minute to a judge."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import msgspec

from outwarden.detection.live import Judge, Policy
from outwarden.detection.live.bounds import Bounds, bounds_of
from outwarden.detection.live.ledger import PROOF, QUANTITY, name_of
from outwarden.detection.live.policy import Thresholds
from outwarden.detection.live.record import AccountRecord
from outwarden.detection.live.scene import Scene, scene_of
from outwarden.detection.live.weights import shipped_weights
from outwarden.events import AccountKind, Action, ComplaintReceived, Decision, Link, LinkKind, Submitted

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = 60
DAY = 24 * HOUR
ROSA = "rosa@isp.example"
FRIENDS = tuple(f"friend{n}@home.example" for n in range(5))
NEVER_STOPS = Policy(thresholds=Thresholds(hold=1000.0, block=1000.0))
STREAMS = {name_of(stream): stream for stream in (*QUANTITY, *PROOF)}


def young(target: str) -> Link:
    return Link(LinkKind.DOMAIN, target, age_days=3)


def listed(target: str) -> Link:
    return Link(LinkKind.DOMAIN, target, age_days=3000, listed=True)


class Mail:
    """A judge and a clock (``minutes`` since the start); what is not said of a message is as Rosa always sends it."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.judge = Judge(policy)
        self.minutes = 0.0
        self._number = 0

    # -- time

    @property
    def at(self) -> datetime:
        return START + timedelta(minutes=self.minutes)

    @property
    def now(self) -> float:
        return self.at.timestamp()

    def later(self, minutes: float) -> "Mail":
        self.minutes += minutes
        return self

    # -- what happens

    def message(self, recipients: Iterable[str], account: str = ROSA, **seen: object) -> Submitted:
        self._number += 1
        addresses = tuple(recipients)
        usual: dict[str, Any] = {
            "client_address": "192.0.2.1",
            "network": "AS64500",
            "country": "IT",
            "kind": AccountKind.LOGIN,
        }
        return Submitted(
            at=self.at,
            host="mx",
            queue_id=f"Q{self._number}",
            account=account,
            recipients=len(addresses),
            recipient_addresses=addresses,
            **{**usual, **seen},
        )

    def send(self, *recipients: str, account: str = ROSA, **seen: object) -> Decision:
        return self.judge.submit(self.message(recipients or FRIENDS[:1], account, **seen))

    def strangers(
        self, count: int, each: int = 1, gap: float = 0.1, account: str = ROSA, **seen: object
    ) -> list[Decision]:
        """Write to so many people nobody here knows, ``each`` in one message, ``gap`` minutes apart."""
        decisions = []
        for begin in range(0, count, each):
            who = [f"s{self._number}.{n}@far.example" for n in range(min(each, count - begin))]
            decisions.append(self.send(*who, account=account, **seen))
            self.later(gap)
        return decisions

    def answers(self, accepted: int = 0, unknown: int = 0, refused: int = 0, account: str = ROSA) -> Decision | None:
        return self.judge.answered(account, self.now, accepted, unknown, refused)

    def complaint(self, queue_id: str = "", recipient: str = "", account: str = ROSA) -> Decision | None:
        self._number += 1
        who = recipient or f"c{self._number}@far.example"
        return self.judge.complained(ComplaintReceived(self.at, "fbl", account, AccountKind.LOGIN, queue_id, who))

    def quiet_month(self, account: str = ROSA, **seen: object) -> "Mail":
        """Four weeks of a little mail to friends, all of it accepted and learned from."""
        self.judge.learn_until((self.at + timedelta(days=28)).timestamp())
        for day in range(28):
            self.send(*FRIENDS[day % 3 : day % 3 + 2], account=account, **seen)
            self.answers(accepted=2, account=account)
            self.later(DAY)
        return self

    def released(self, waiting: int, minutes: int, account: str = ROSA) -> list[int]:
        """Ask once a minute how many of the waiting may go; return how many did each time."""
        gone = []
        for _ in range(minutes):
            release = self.judge.release(account, self.now, waiting - sum(gone))
            assert 0 <= release.recipients <= waiting - sum(gone)
            gone.append(release.recipients)
            self.later(1)
        return gone

    # -- what is seen

    def record(self, account: str = ROSA) -> AccountRecord:
        record = self.judge.records.get(account)
        assert record is not None
        return record

    def scene(self, account: str = ROSA) -> Scene:
        return scene_of(self.record(account), self.now)

    def bounds(self, account: str = ROSA) -> Bounds:
        return bounds_of(self.record(account), self.judge.policy, self.now)

    def points(self, stream: str, account: str = ROSA) -> float:
        module, weights = self._stream(stream)
        found = module.points(self.scene(account), weights)
        assert isinstance(found, float)
        return found

    @property
    def others_refused(self) -> float:
        return self.judge._refused_elsewhere.rate

    def judged(self, stream: str, account: str = ROSA) -> float:
        """Return the points beside what others are told by remotes."""
        module, weights = self._stream(stream)
        found = module.points(scene_of(self.record(account), self.now, self.others_refused), weights)
        assert isinstance(found, float)
        return found

    def words(self, stream: str, account: str = ROSA) -> str:
        module, weights = self._stream(stream)
        text = module.words(self.scene(account), weights)
        assert isinstance(text, str)
        return text

    def ledger(self, account: str = ROSA) -> dict[str, float]:
        return {name: self.points(name, account) for name in STREAMS}

    @staticmethod
    def _stream(name: str) -> tuple[ModuleType, Any]:
        return STREAMS[name], getattr(shipped_weights(), name.replace("-", "_"))


def same(one: object, other: object) -> bool:
    """Say whether two decisions are the same, byte for byte."""
    return msgspec.msgpack.encode(one) == msgspec.msgpack.encode(other)


def actions(decisions: Iterable[Decision]) -> list[Action]:
    return [decision.action for decision in decisions]
