"""The machine-readable part, also where it breaks its rules."""

import pytest

from outwarden.sources.reports.delivery_status import read_groups

Told = tuple[str | None, str | None, str | None, str]


def told(block: str) -> list[Told]:
    return [(group.address, group.action, group.status, group.diagnostic) for group in read_groups(block.encode())[1]]


OTTO = ("otto@far.example", "failed", "5.1.1", "")


@pytest.mark.parametrize(
    ("name", "block", "expected"),
    [
        (
            "by the rules",
            "Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; otto@far.example\nAction: failed\nStatus: 5.1.1\n",
            [OTTO],
        ),
        (
            "no empty line after the first fields",
            "Reporting-MTA: dns; a\nFinal-Recipient: rfc822; otto@far.example\nAction: failed\nStatus: 5.1.1\n",
            [OTTO],
        ),
        (
            "no empty line between two",
            "Final-Recipient: rfc822; otto@far.example\nAction: failed\nStatus: 5.1.1\n"
            "Final-Recipient: rfc822; ida@far.example\nAction: delayed\nStatus: 4.2.2\n",
            [OTTO, ("ida@far.example", "delayed", "4.2.2", "")],
        ),
        (
            "an empty line within one",
            "Final-Recipient: rfc822; otto@far.example\n\nAction: failed\nStatus: 5.1.1\n",
            [OTTO],
        ),
        (
            "the action once for all",
            "Reporting-MTA: dns; a\nAction: failed\n\nFinal-Recipient: rfc822; otto@far.example\nStatus: 5.1.1\n",
            [OTTO],
        ),
        (
            "other words for the action",
            "Final-Recipient: rfc822; otto@far.example\nAction: Failure (permanent)\nStatus: 5.1.1 (no such user)\n",
            [OTTO],
        ),
        (
            "a reply over lines and fields",
            "Final-Recipient: rfc822; otto@far.example\nAction: failed\nStatus: 5.1.1\n"
            "Diagnostic-Code: smtp; 550-5.1.1 nobody\n of that\nDiagnostic-Code: smtp; 550 5.1.1 name\n",
            [(*OTTO[:3], "550-5.1.1 nobody of that smtp; 550 5.1.1 name")],
        ),
        ("nothing", "", []),
        ("no field at all", "hello\n\nworld\n", []),
    ],
)
def test_groups(name: str, block: str, expected: list[Told]) -> None:
    assert told(block) == expected


def test_whom_our_side_wrote_to_comes_first() -> None:
    block = b"Original-Recipient: rfc822; sales@far.example\nFinal-Recipient: rfc822; otto@far.example\nStatus: 5.1.1\n"
    (group,) = read_groups(block)[1]
    assert (group.address, group.final_address) == ("sales@far.example", "otto@far.example")


def test_no_more_groups_than_are_bearable() -> None:
    one = b"Final-Recipient: rfc822; a@far.example\nStatus: 5.1.1\n\n"
    assert len(read_groups(one * 5_000)[1]) == 1_000
