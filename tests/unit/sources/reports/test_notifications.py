"""Notifications of sending services."""

import pytest

from outwarden.sources.reports import Kind, read_report
from outwarden.sources.reports.notifications import read_notification

BOUNCE = (
    '{"notificationType": "Bounce", "bounce": {"bouncedRecipients": [{"emailAddress": "otto@far.example", '
    '"status": "5.1.1"}]}, "mail": {"source": "rosa@isp.example", "messageId": "0100"}}'
)


def test_a_bounce() -> None:
    bounce = read_report(BOUNCE.encode()).bounce
    assert bounce is not None
    assert [(one.address, one.action, one.status) for one in bounce.recipients] == [
        ("otto@far.example", "failed", "5.1.1")
    ]
    assert (bounce.original.sender, bounce.original.message_id) == ("rosa@isp.example", "<0100>")


def test_a_complaint() -> None:
    told = BOUNCE.replace("Bounce", "Complaint").replace("bounce", "complaint").replace("bounced", "complained")
    assert read_report(told.encode()).kind is Kind.COMPLAINT


@pytest.mark.parametrize(
    "text", ["", "{", "{}", '{"notificationType": 1}', '{"notificationType": "Other"}', "[" * 100_000, "hello"]
)
def test_what_is_none(text: str) -> None:
    assert read_notification(text) is None


@pytest.mark.parametrize("value", ["null", "1", '"x"', "[null, 1, {}]", '{"emailAddress": 7}'])
def test_recipients_that_are_none(value: str) -> None:
    found = read_notification('{"notificationType": "Bounce", "bounce": {"bouncedRecipients": ' + value + "}}")
    assert found is not None
    assert found.recipients == ()
