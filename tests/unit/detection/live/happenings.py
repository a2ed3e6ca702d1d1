"""Anything that may happen to a site, as hypothesis strategies: in order or not, likely or hostile."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from hypothesis import strategies as st
from tests.unit.detection.live.mail import START

from outwarden.detection.live import Judge
from outwarden.events import (
    AccountKind,
    Action,
    Attempted,
    ComplaintReceived,
    Decision,
    Link,
    LinkKind,
    Outcome,
    RefusalClass,
    Submitted,
)

ACCOUNTS = ("rosa@isp.example", "otto@isp.example", "www-data")


class Asked(NamedTuple):
    """A question or a word of the desk: ``what`` is *release*, *passed*, *unblocked* or *wrong*."""

    what: str
    account: str
    at: datetime
    waiting: int = 0


Happening = Submitted | Attempted | ComplaintReceived | Asked


def tell(judge: Judge, happening: Happening) -> bytes:
    """Tell a judge what happens; return what it says, as bytes."""
    match happening:
        case Submitted():
            return msgspec.msgpack.encode(judge.submit(happening))
        case Attempted():
            return msgspec.msgpack.encode(judge.attempted(happening))
        case ComplaintReceived():
            return msgspec.msgpack.encode(judge.complained(happening))
        case Asked(what="release"):
            return msgspec.msgpack.encode(judge.release(happening.account, happening.at.timestamp(), happening.waiting))
        case Asked(what="passed"):
            judge.passed(happening.account, happening.at.timestamp())
        case Asked():
            judge.unblocked(happening.account, happening.at.timestamp(), happening.what == "wrong")
    return b""


def tell_all(judge: Judge, happenings: Iterable[Happening]) -> list[bytes]:
    return [tell(judge, one) for one in happenings]


# -- likely ones

_few = st.integers(0, 6)
_recipients = st.builds(
    lambda first, many, where: tuple(f"r{first + n}@{where}.example" for n in range(many)),
    st.integers(0, 40),
    st.sampled_from([1, 1, 1, 2, 3, 40, 150]),
    st.sampled_from(["home", "far"]),
)
_links = st.lists(
    st.builds(
        Link,
        st.sampled_from(LinkKind),
        st.builds("l{}.example".format, _few),
        st.sampled_from([None, 2, 900]),
        st.booleans(),
    ),
    max_size=3,
).map(tuple)
_at = st.just(START)


def submitted(account: st.SearchStrategy[str]) -> st.SearchStrategy[Submitted]:
    return st.builds(
        Submitted,
        at=_at,
        host=st.just("mx"),
        queue_id=st.just(""),
        account=account,
        kind=st.just(AccountKind.LOGIN),
        client_address=st.sampled_from([None, "192.0.2.1", "198.51.100.7", "2001:db8::1"]),
        recipients=st.integers(0, 200),
        recipient_addresses=_recipients,
        fingerprint=st.one_of(st.none(), st.builds("t{}".format, _few)),
        links=_links,
        filter_verdict=st.sampled_from([None, False, False, True]),
        reply=st.booleans(),
        foreign_from=st.booleans(),
        network=st.sampled_from([None, "AS64500", "AS64500", "AS64501", "AS64502"]),
        country=st.sampled_from([None, "IT", "BR"]),
        client_listed=st.booleans(),
    )


def attempted(account: st.SearchStrategy[str]) -> st.SearchStrategy[Attempted]:
    return st.builds(
        Attempted,
        at=_at,
        host=st.just("mx"),
        queue_id=st.just(""),
        account=account,
        kind=st.just(AccountKind.LOGIN),
        recipient=st.builds("r{}@far.example".format, st.integers(0, 60)),
        outcome=st.sampled_from(Outcome),
        refusal_class=st.one_of(st.none(), st.sampled_from(RefusalClass)),
    )


def complained(account: st.SearchStrategy[str]) -> st.SearchStrategy[ComplaintReceived]:
    return st.builds(
        ComplaintReceived,
        at=_at,
        host=st.just("fbl"),
        account=account,
        kind=st.just(AccountKind.LOGIN),
        queue_id=st.just(""),
        recipient=st.builds("r{}@far.example".format, st.integers(0, 60)),
    )


def asked(account: st.SearchStrategy[str]) -> st.SearchStrategy[Asked]:
    what = st.sampled_from(["release", "release", "release", "passed", "unblocked", "wrong"])
    return st.builds(Asked, what, account, _at, st.integers(0, 200))


def _timed(rows: list[tuple[float, Happening]]) -> list[Happening]:
    told: list[Happening] = []
    minutes = 0.0
    for number, (gap, one) in enumerate(rows):
        minutes += gap
        at = START + timedelta(minutes=minutes)
        if isinstance(one, Asked):
            told.append(one._replace(at=at))
        else:
            # Some complaints come without a queue ID.
            queue_id = "" if isinstance(one, ComplaintReceived) and number % 3 == 0 else f"Q{number}"
            told.append(msgspec.structs.replace(one, at=at, queue_id=queue_id))
    return told


def happenings(most: int = 40) -> st.SearchStrategy[list[Happening]]:
    """Weeks of a site in order, as dense or sparse as chance will have it."""
    account = st.sampled_from(ACCOUNTS)
    gap = st.sampled_from([0.0, 0.1, 1.0, 1.0, 5.0, 70.0, 700.0, 2000.0, 12_000.0])
    # Words of the desk are rare.
    one = st.one_of(
        submitted(account),
        submitted(account),
        submitted(account),
        attempted(account),
        complained(account),
        asked(account),
    )
    return st.lists(st.tuples(gap, one), max_size=most).map(_timed)


# -- hostile ones

_text = st.one_of(
    st.sampled_from(
        ["", "\x00", "\udcff", "\ud800\udc00", "ä" * 500, "a" * 7000, "::", "::ffff:1.2.3.4", ".", "\u202e"]
    ),
    st.text(st.characters(), max_size=20),
)
_moment = st.one_of(
    st.sampled_from(["0001-01-01", "1969-12-31", "1970-01-01", "2106-02-07", "9999-12-31T23:59:59.999999"]).map(
        lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC)
    ),
    st.datetimes(timezones=st.just(UTC)),
)
_number = st.sampled_from([0, 1, -1, 2**31, 2**63, -(2**63), 2**64])
_hostile_links = st.one_of(
    st.just(()),
    st.lists(
        st.builds(Link, st.sampled_from(LinkKind), _text, st.sampled_from([None, 0, -1, 2**63]), st.booleans()),
        max_size=3,
    ).map(tuple),
    st.just(tuple(Link(LinkKind.SHORTENER, f"s{n}") for n in range(200))),
)
_hostile_account = st.sampled_from(["", "\udcff", "a" * 300, "rosa@isp.example"])
_kind = st.sampled_from(AccountKind)

hostile: st.SearchStrategy[Happening] = st.one_of(
    st.builds(
        Submitted,
        at=_moment,
        host=_text,
        queue_id=_text,
        account=_hostile_account,
        kind=_kind,
        client_address=st.one_of(st.none(), _text),
        recipients=_number,
        size=_number,
        recipient_addresses=st.one_of(st.lists(_text, max_size=4).map(tuple), st.just(("a@b.example",) * 30)),
        fingerprint=st.one_of(st.none(), _text),
        links=_hostile_links,
        filter_verdict=st.sampled_from([None, False, True]),
        reply=st.booleans(),
        foreign_from=st.booleans(),
        network=st.one_of(st.none(), _text),
        country=st.one_of(st.none(), _text),
        client_listed=st.booleans(),
    ),
    st.builds(
        Attempted,
        at=_moment,
        host=_text,
        queue_id=_text,
        account=_hostile_account,
        kind=_kind,
        recipient=_text,
        outcome=st.sampled_from(Outcome),
        refusal_class=st.one_of(st.none(), st.sampled_from(RefusalClass)),
    ),
    st.builds(
        ComplaintReceived, at=_moment, host=_text, account=_hostile_account, kind=_kind, queue_id=_text, recipient=_text
    ),
    st.builds(
        Asked,
        st.sampled_from(["release", "passed", "unblocked", "wrong"]),
        _hostile_account,
        _moment,
        st.sampled_from([0, 1, -5, 2**63]),
    ),
)


def explained(decision: Decision) -> bool:
    """Say whether a decision says why."""
    return decision.action is Action.ACCEPT or (
        bool(decision.findings)
        and all(finding.text and finding.rule for finding in decision.findings)
        and abs(sum(finding.points for finding in decision.findings) - decision.points) <= 0.05
        and (decision.cause is not None or decision.action is not Action.BLOCK)
        and bool(decision.because)
        and all(decision.because)
    )
