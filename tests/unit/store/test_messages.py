"""What the store tells of single messages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.store.mail import DAY, HOUR, HUGO, NOW, ROSA, SECOND, attempted, complained, one_of_each, submitted

from outwarden.events import AccountKind, Event, Link, LinkKind, Outcome, RefusalClass
from outwarden.store.event_rows import SeenByFilter
from outwarden.store.ingest import Checkpoint
from outwarden.store.messages import KeptAttempt, KeptFeedback, KeptMessage
from outwarden.store.store import Store

LINKS = (Link(LinkKind.STORAGE, "https://box.example/a", None, True),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "outwarden.db") as opened:
        yield opened


def write(store: Store, *events: Event) -> None:
    store.ingest.write(Checkpoint(NOW + DAY, events))


def test_a_message_with_all_that_became_of_it(store: Store) -> None:
    write(store, *one_of_each())
    assert store.messages.of_account(ROSA, NOW, 10) == [
        KeptMessage(
            NOW, "mx1", "3A", ROSA, AccountKind.LOGIN, True, None, ROSA, 2, 900,
            attempts=(
                KeptAttempt(NOW + SECOND, "eva@mail.far.example", Outcome.DELIVERED),
                KeptAttempt(NOW + SECOND, "nobody@far.example", Outcome.BOUNCED, RefusalClass.UNKNOWN_RECIPIENT),
            ),
            feedback=(
                KeptFeedback(NOW + 2 * SECOND, False, "", "9F"),
                KeptFeedback(NOW + HOUR, True, "eva@far.example", ""),
            ),
        )
    ]  # fmt: skip


def test_every_field_comes_back(store: Store) -> None:
    seen = SeenByFilter(("eva@far.example",), LINKS, False, True, True, "AS64500", "DE", True)
    write(
        store,
        submitted(
            client_address="2001:db8::7", message_id="<1@isp.example>", script="/srv/send.php", subject="Grüße",
            fingerprint="ab12", recipient_addresses=seen.recipient_addresses, links=LINKS, filter_verdict=False,
            reply=True, foreign_from=True, network="AS64500", country="DE", client_listed=True,
        ),
        attempted(
            outcome=Outcome.BOUNCED, refusal=RefusalClass.ADDRESS_BLOCKLISTED, reply="554 blocked, see our list",
            relay="mx.far.example[192.0.2.9]:25", status="5.7.1", original_recipient="all@isp.example",
            listing="big", listed="192.0.2.1", outbound=False,
        ),
    )  # fmt: skip
    (message,) = store.messages.by_queue_id("mx1", "3A")
    assert message == KeptMessage(
        NOW, "mx1", "3A", ROSA, AccountKind.LOGIN, True, "2001:db8::7", ROSA, 2, 900, "<1@isp.example>", "Grüße",
        "ab12", "/srv/send.php", seen,
        (
            KeptAttempt(
                NOW + SECOND, "eva@mail.far.example", Outcome.BOUNCED, RefusalClass.ADDRESS_BLOCKLISTED, "5.7.1",
                "mx.far.example[192.0.2.9]:25", "554 blocked, see our list", "all@isp.example", "big", "192.0.2.1",
                False,
            ),
        ),
    )  # fmt: skip


def test_the_last_of_an_account_newest_first(store: Store) -> None:
    write(store, *(submitted(str(hour), HUGO if hour == 3 else ROSA, NOW + hour * HOUR) for hour in range(6)))

    def of_rosa(hours: int, most: int) -> list[str]:
        return [message.queue_id for message in store.messages.of_account(ROSA, NOW + hours * HOUR, most)]

    assert of_rosa(0, 9) == ["5", "4", "2", "1", "0"]
    assert of_rosa(2, 9) == ["5", "4", "2"]
    assert of_rosa(0, 2) == ["5", "4"]
    assert store.messages.of_account("nobody@isp.example", NOW, 9) == []


def test_whose_a_queue_id_was(store: Store) -> None:
    write(store, submitted(), submitted("4B", HUGO))
    assert [message.account for message in store.messages.by_queue_id("mx1", "4B")] == [HUGO]
    assert [message.account for message in store.messages.by_queue_id(None, "4B")] == [HUGO]
    assert store.messages.by_queue_id("mx2", "4B") == []
    assert store.messages.by_queue_id("mx1", "4b") == [], "queue IDs of Exim differ in case alone"


def test_a_complaint_that_names_no_message(store: Store) -> None:
    write(store, complained(""), complained(at=NOW + 2 * HOUR), complained("", HUGO))
    found = store.messages.feedback_of_account(ROSA, NOW, 9)
    assert [(each.at, each.complaint) for each in found] == [(NOW + 2 * HOUR, True), (NOW + HOUR, True)]
    assert len(store.messages.feedback_of_account(ROSA, NOW, 1)) == 1
    assert store.messages.feedback_of_account("nobody@isp.example", NOW, 9) == []


@pytest.mark.parametrize(
    "question",
    [
        "SELECT 1 FROM message WHERE account = ? AND at >= ? ORDER BY at DESC LIMIT ?",
        "SELECT 1 FROM message WHERE queue_id = ? AND host = ? ORDER BY at DESC LIMIT ?",
        "SELECT 1 FROM message WHERE at < ? ORDER BY at LIMIT ?",
        "SELECT 1 FROM attempt WHERE message = ? ORDER BY at LIMIT ?",
        "SELECT 1 FROM feedback WHERE message = ? ORDER BY at",
        "SELECT 1 FROM feedback WHERE account = ? AND at >= ? ORDER BY at DESC LIMIT ?",
    ],
)
def test_no_question_looks_through_a_table(store: Store, question: str) -> None:
    plan = [row[3] for row in store._database.rows(f"EXPLAIN QUERY PLAN {question}", *[1] * question.count("?"))]
    assert [step.split()[0] for step in plan] == ["SEARCH"], plan
