"""Public lives of messages in Postfix's log: all lines understood, and told as they were.

Each is written ``account kind: what became of it``, with ``S`` for a submission and its recipients,
``+`` delivered, ``~`` deferred, ``-`` bounced, ``x`` expired, ``N`` a bounce returned.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.events import Attempted, BounceReturned, Event, Outcome, Submitted
from outwarden.sources.logs.postfix import PostfixLog
from outwarden.sources.logs.stamps import Stamps

FOLDER = Path(__file__).parents[3] / "shared" / "corpora" / "logs" / "postfix-scenarios"
SIGNS = {Outcome.DELIVERED: "+", Outcome.DEFERRED: "~", Outcome.BOUNCED: "-", Outcome.EXPIRED: "x"}

# Number of the scenario -> what its accounts did.
LIVES = {
    # Each of two logins' messages goes through a content filter and leaves once.
    "12_in_order": {"sender@mydomain.com login: S5 + S5 +"},
    "12_mixed": {"sender@mydomain.com login: S5 S5 + +"},
    "16": {"h-1505422@h-8dd10a671.com address: S1 +"},
    "17": set[str](),
    # The relay that a message took before this log begins cannot be joined to an account.
    "18": {
        " address: +",
        "h-498b874f2bf0cf639807ad80e1@h-5e67b9b4406.com address: S1 ~ ~ ~ ~ ~ x N",
        "<> null: S1 +",
    },
    "19": set[str](),
    # The bounce comes from the queue file after the filter, and is the login's.
    "1": {"user@sender.com login: S1 - N", "<> null: S1 +"},
    "21": {
        "h-195704c@h-b7bed8eb24c5049d9.com address: S1 + S1 +",
        "h-195704c@h-ca65051b52b067e2c8975.com address: S1 +",
        "h-195704c@h-20b651e8120a33ec11.com local: S1 + S1 +",
    },
    "22": {"sender@sender.example.com address: S1 +"},
    "25": {"user@sender.example.com login: S1 +"},
    "26": {"sender@internal.org login: S2 + +"},
    "27": {
        "h-1d6e@h-08cedc5c.com login: S1 +",
        "h-97607be360@h-357b5d30382e3252d.com address: S1 +",
    },
    "28": {"bounces+YYY=76YYY=S7@microsoft.onmicrosoft.com address: S1 +"},
    "30": {"sender@internal.org login: S2 +"},
    "4": {"hello@sender.example.com login: S1 S1 S1 S1 + + + +"},
    # Two filters one after the other, and still the login's.
    "5": {"sender@sender.example.com login: S1 +"},
    "6": {" address: + + +", "bounces@some.example.com address: S1 + S1 ~ +"},
    "7": set[str](),
}  # fmt: skip

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the shared log corpora are not beside the project")


def name_of(path: Path) -> str:
    number = path.stem.partition("_")[0].partition("-")[0]
    return f"{number}{'_in_order' if 'in_order' in path.stem else '_mixed' if 'mixed' in path.stem else ''}"


def told(events: list[Event]) -> set[str]:
    lives: dict[str, list[str]] = {}
    for event in events:
        life = lives.setdefault(f"{event.account} {getattr(event, 'kind', '')}", [])
        match event:
            case Submitted():
                life.append(f"S{event.recipients}")
            case Attempted():
                life.append(SIGNS[event.outcome])
            case BounceReturned():
                life.append("N")
    return {f"{account}: {' '.join(life)}" for account, life in lives.items()}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.log")), ids=name_of)
def test_life_is_told_as_it_was(path: Path) -> None:
    log = PostfixLog(Stamps(datetime(2022, 1, 1, tzinfo=UTC)))
    events = log.feed(path.read_text(errors="backslashreplace")) + log.finish()
    assert told(events) == LIVES[name_of(path)]
    assert log.lines_not_understood == 0
