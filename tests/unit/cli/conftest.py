"""Hand-made answers of the detection room, to be shown by the commands."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from outwarden.detection.assessment import AccountAssessment, Assessment, HourCount, ListingSeen, NextStep
from outwarden.events import AccountKind, Finding, Standing, Verdict
from outwarden.service.examine import Examination
from outwarden.service.log_reading import FileRead

BEGIN = datetime(2026, 11, 22, tzinfo=UTC)
TROUBLE = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)
END = datetime(2026, 11, 23, 10, 52, tzinfo=UTC)

STOLEN_LINE = (
    "Nov 23 03:12:08 mx1 postfix/submission/smtpd[811]: 4jYgM74ky5zJbNv: client=unknown[203.0.113.77], "
    "sasl_method=LOGIN, sasl_username=rosa@isp.example"
)
REFUSED_LINE = (
    "Nov 23 03:40:11 mx1 postfix/smtp[902]: 4jYgM74ky5zJbNv: to=<a@bigmail.example>, "
    "relay=mx.bigmail.example[192.0.2.25]:25, delay=0.4, delays=0.1/0/0.1/0.2, dsn=5.7.1, "
    "status=bounced (host mx.bigmail.example[192.0.2.25] said: 554 5.7.1 "
    "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org)"
)


def account(name: str = "rosa@isp.example", **changes: object) -> AccountAssessment:
    """Return an honest account that sent three messages; ``changes`` make it another."""
    quiet = AccountAssessment(
        account=name,
        kind=AccountKind.LOGIN,
        standing=Standing.NORMAL,
        points=0.0,
        findings=(),
        since=None,
        cause=None,
        messages=3,
        recipients=4,
        delivered=4,
        deferred_attempts=0,
        bounced=0,
        expired=0,
        bounces_returned=0,
        refused={},
        client_addresses=1,
        networks=1,
        hours=(HourCount(BEGIN + timedelta(hours=9), 3, 4),),
    )
    return AccountAssessment(**({field: getattr(quiet, field) for field in quiet.__struct_fields__} | changes))  # type: ignore[arg-type]


def stolen_account() -> AccountAssessment:
    """Return the account that sends spam since 03:12."""
    quiet = [HourCount(BEGIN + timedelta(hours=hour), 1 + hour % 3, 2) for hour in (7, 9, 10, 14, 16, 20)]
    loud = [
        HourCount(TROUBLE.replace(minute=0) + timedelta(hours=hour), count, count * 3)
        for hour, count in enumerate((90, 310, 420, 460, 455, 380, 400, 210))
    ]
    return account(
        standing=Standing.BLOCKED,
        points=13.4,
        since=TROUBLE,
        cause="stolen password: 9 new networks in 2 hours, mail to strangers at 300 times its own record",
        findings=(
            Finding("volume", 4.0, "462 new recipients in an hour (own record 2)", TROUBLE, (STOLEN_LINE,)),
            Finding(
                "unknown-recipients", 4.1, "611 of 2,725 recipients unknown (own rate 1.2 %)", TROUBLE, (REFUSED_LINE,)
            ),
            Finding("refused", 3.0, "188 refusals as spam or because our address is listed", TROUBLE, (REFUSED_LINE,)),
            Finding("network", 2.3, "logins from 9 networks never seen before", TROUBLE, (STOLEN_LINE,)),
        ),
        messages=2725,
        recipients=8174,
        delivered=6830,
        deferred_attempts=420,
        bounced=799,
        refused={"unknown-recipient": 611, "address-blocklisted": 188},
        client_addresses=14,
        networks=9,
        hours=(*quiet, *loud),
    )


def assessment(verdict: Verdict = Verdict.YES, *accounts: AccountAssessment) -> Assessment:
    """Return the assessment of two days in which ``accounts`` sent mail."""
    guilty = [one for one in accounts if one.standing is not Standing.NORMAL]
    return Assessment(
        verdict=verdict,
        since=min((one.since for one in guilty if one.since), default=None),
        because=tuple(
            Finding(finding.rule, finding.points, f"{one.account}: {finding.text}", finding.at, finding.evidence)
            for one in guilty
            for finding in one.findings
        ),
        accounts=accounts,
        destinations=(),
        listings_seen=(ListingSeen("spamhaus-zen", "192.0.2.1", TROUBLE, END, 188),) if guilty else (),
        from_at=BEGIN,
        to_at=END,
        next_steps=(
            NextStep("Stop the account rosa@isp.example: refuse its submissions and end its sessions.", None),
            NextStep("Hold what it has in the queue.", "outwarden queue hold --account rosa@isp.example"),
            NextStep("Reset its password, and tell its owner by another way than that mailbox.", None),
        )
        if guilty
        else (),
    )


def examination(of: Assessment) -> Examination:
    """Return an examination of one log file."""
    return Examination(
        assessment=of,
        files=(FileRead("/var/log/mail.log", 104_221, 12),),
        formats=("postfix",),
        lines=104_221,
        lines_not_understood=12,
        clock_set_back=0,
    )


@pytest.fixture
def yes() -> Examination:
    """Return the day on which rosa's password was stolen."""
    others = [
        account("newsletter@shop.example", messages=4, recipients=5210, delivered=5100, networks=1, points=0.4),
        account("tim@isp.example", messages=41, recipients=60),
        account("office@farm.example", messages=33, recipients=35),
        *(account(f"subscriber{number}@isp.example") for number in range(700)),
    ]
    return examination(assessment(Verdict.YES, stolen_account(), *others))


@pytest.fixture
def no() -> Examination:
    """Return a day on which nothing happened."""
    return examination(assessment(Verdict.NO, account("tim@isp.example", messages=41, recipients=60), account()))


@pytest.fixture
def stolen() -> AccountAssessment:
    """Return rosa's account."""
    return stolen_account()


@pytest.fixture
def hostile() -> Examination:
    """Return a day on which every text that strangers choose is an attack on whoever reads it."""
    evil = "\x1b[2J<script>alert(1)</script>\u202e\r\n'\"&\x9b31m"
    finding = Finding("volume", 9.0, f"{evil} in an hour", TROUBLE, (evil,))
    one = account(evil, standing=Standing.BLOCKED, points=9.0, since=TROUBLE, cause=evil, findings=(finding,))
    judged = assessment(Verdict.YES, one)
    return msgspec.structs.replace(
        examination(
            msgspec.structs.replace(
                judged,
                listings_seen=(ListingSeen(evil, evil, TROUBLE, END, 1),),
                next_steps=(NextStep(evil, evil),),
            )
        ),
        files=(FileRead(evil, 1, 1),),
        damage=(evil,),
    )


@pytest.fixture
def crowd() -> Examination:
    """Return a day on which sixty accounts are stolen, and each has a week of hours and long lines."""
    hours = tuple(HourCount(BEGIN + timedelta(hours=hour), hour % 50, hour) for hour in range(-200, 34))
    findings = tuple(
        Finding(
            "volume", 4.0, f"{number} new recipients in an hour", TROUBLE, tuple(REFUSED_LINE * 3 for _ in range(5))
        )
        for number in range(6)
    )
    return examination(
        assessment(
            Verdict.YES,
            *(
                account(f"n{n}@isp.example", standing=Standing.BLOCKED, since=TROUBLE, findings=findings, hours=hours)
                for n in range(60)
            ),
        )
    )
