"""How many recipients of a message are new to its account, asked before the message is judged."""

from datetime import UTC, datetime

from outwarden.detection.live import Judge
from outwarden.events import AccountKind, Submitted


def message(*recipients: str, account: str = "rosa@isp.example") -> Submitted:
    return Submitted(
        at=datetime(2026, 11, 25, tzinfo=UTC),
        host="mx",
        queue_id="4Q1",
        account=account,
        kind=AccountKind.LOGIN,
        recipients=len(recipients),
        recipient_addresses=recipients,
    )


def test_all_are_new_to_an_account_that_nobody_knows_and_each_counts_once() -> None:
    judge = Judge()
    assert judge.new_recipients(message("a@far.example", "b@far.example", "a@far.example")) == 2
    assert judge.new_recipients(message()) == 0
    assert len(judge.records) == 0


def test_only_those_are_new_that_it_has_not_written_to() -> None:
    judge = Judge()
    judge.submit(message("a@far.example", "b@far.example"))
    before = judge.save()
    assert judge.new_recipients(message("b@far.example", "c@far.example")) == 1
    assert judge.new_recipients(message("b@far.example", account="otto@isp.example")) == 1
    assert judge.save() == before


def test_whom_it_wrote_to_two_months_ago_is_known() -> None:
    judge = Judge()
    judge.submit(message("a@far.example"))
    record = judge.records.get("rosa@isp.example")
    assert record is not None
    record.recipients.turn(record.recipients.began + 61 * 86_400)
    assert judge.new_recipients(message("a@far.example")) == 0
