"""The verbs about pauses and the queue: what is asked for is checked, whoever asks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from outwarden.events import QueuedMessage
from outwarden.responses.subjects import MalformedSubject
from outwarden.service.acting import NotAllowed
from outwarden.service.control.faults import Fault, FaultKind
from outwarden.service.control.queue_answers import QueueAnswers, only_of
from outwarden.service.control.records import Resumed
from outwarden.service.settings import MailServerSettings
from outwarden.sources.queue.reading import QueueForm, QueueReading
from outwarden.store.store import Store

NOW = datetime(2026, 11, 25, 7, 12, tzinfo=UTC)

FAULTS: list[tuple[str, str, dict[str, Any], type[Exception], str]] = [
    ("a pause of nothing known", "pause", {"subscriber": "rosa"}, Fault, "unknown field"),
    ("a pause without end", "pause", {"seconds": 10**9}, Fault, "<= 2592000"),
    ("a pause that is over", "pause", {"seconds": 0}, Fault, "> 0"),
    ("a reason that is none", "pause", {"reason": 7}, Fault, "Expected `str`"),
    ("an account that is an option", "pause", {"account": "-Mrm"}, MalformedSubject, "is no account"),
    ("a destination that is everything", "resume", {"destination": "*"}, MalformedSubject, "is no domain"),
    ("nothing to hold", "queue.hold", {}, Fault, "either an account or queue IDs"),
    ("both", "queue.hold", {"account": "rosa", "queue_ids": ["4C9D2E1A"]}, Fault, "either an account or queue IDs"),
    ("every message there is", "queue.delete", {"queue_ids": ["ALL"]}, MalformedSubject, "is no queue ID"),
    ("queue IDs that are none", "queue.release", {"queue_ids": "ALL"}, Fault, "Expected `array`"),
]


@pytest.fixture
def answers(tmp_path: Path) -> Any:  # noqa: ANN401
    with Store(tmp_path / "outwarden.db") as store:
        yield QueueAnswers(store, MailServerSettings(kind="postfix"), lambda: NOW, UTC).by_verb()


@pytest.mark.parametrize(
    ("verb", "arguments", "failure", "says"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_a_question_that_cannot_be(
    answers: dict[str, Any], verb: str, arguments: dict[str, Any], failure: type[Exception], says: str
) -> None:
    with pytest.raises(failure) as caught:
        answers[verb].give(arguments, "carla")
    assert says in str(caught.value)
    if isinstance(caught.value, Fault):
        assert caught.value.kind is FaultKind.MALFORMED
    assert answers["pause.list"].give({}, "carla") == ()


def test_a_service_that_is_not_root_says_so(answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(NotAllowed):
        answers["pause"].give({}, "carla")


def test_nothing_to_resume_needs_no_mail_server(answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert answers["resume"].give({"everything": True}, "carla") == Resumed((), ())


def test_what_changes_is_named() -> None:
    verbs = QueueAnswers(None, MailServerSettings(), lambda: NOW, UTC).by_verb()  # type: ignore[arg-type]
    assert {verb for verb, answer in verbs.items() if not answer.changes} == {"pause.list", "queue.list"}


@pytest.mark.parametrize(("queue_ids", "left"), [(None, ["A1"]), ({"B2"}, ["B2"]), (set(), [])])
def test_an_accounts_messages_alone(queue_ids: set[str] | None, left: list[str]) -> None:
    messages = tuple(
        QueuedMessage(queue_id, "deferred", NOW, 900, sender)
        for queue_id, sender in (("A1", "Rosa@isp.example"), ("B2", "other@isp.example"))
    )
    reading = only_of("rosa@isp.example", QueueReading(QueueForm.POSTQUEUE_JSON, 2, messages), queue_ids)
    assert [each.queue_id for each in reading.messages] == left
    assert reading.total == len(left)
