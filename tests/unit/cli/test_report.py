"""What check prints: the verdict first, whole in a pipe, and small enough for one screen."""

import click
import pytest
from msgspec.structs import replace

from outwarden.cli.log_options import Screen
from outwarden.cli.report import report
from outwarden.cli.verdict_words import EXIT_CODES, headline
from outwarden.detection.assessment import AccountAssessment
from outwarden.events import Finding, Standing, Verdict
from outwarden.service.examine import Examination

PIPE = Screen(1000, None, True)
TERMINAL = Screen(80, 24, True)


def lines_of(examination: Examination, screen: Screen) -> list[str]:
    return [click.unstyle(line) for line in report(examination, screen)]


def test_the_first_line_is_the_verdict(yes: Examination) -> None:
    expected = "YES, this server is sending spam: rosa@isp.example, since 2026-11-23 03:12 UTC (7 h 40 min)"
    assert lines_of(yes, PIPE)[0] == expected
    assert lines_of(yes, TERMINAL)[0] == expected


def test_no_says_what_it_rests_on(no: Examination) -> None:
    assert lines_of(no, PIPE)[0] == (
        "NO, this server is not sending spam: 44 messages by 2 accounts, 2026-11-22 00:00 to 2026-11-23 10:52 UTC"
    )


def test_who_is_answered_on_one_screen(yes: Examination) -> None:
    lines = lines_of(yes, TERMINAL)
    rows = sum(max(-(-len(line) // 80), 1) for line in lines)
    assert rows < 24
    text = "\n".join(lines)
    assert "rosa@isp.example  blocked     13.4  2,725  8,174      188      611     9  03:12" in text
    assert "  +4.0  462 new recipients in an hour (own record 2)" in text
    assert "What to do next" in text


def test_only_the_verdict_may_be_wider_than_the_screen(yes: Examination) -> None:
    assert all(len(line) <= 80 for line in lines_of(yes, TERMINAL)[1:])


def test_in_a_pipe_everything_is_there_and_nothing_is_cut(yes: Examination) -> None:
    text = "\n".join(lines_of(yes, PIPE))
    assert "Client host [192.0.2.1] blocked using zen.spamhaus.org)" in text
    assert "messages per hour (UTC), own record 3" in text
    assert "192.0.2.1 is on spamhaus-zen, say 188 refusals until 2026-11-23 10:52 UTC." in text
    assert "Read /var/log/mail.log (postfix): 104,221 lines, 12 not understood; " in text
    assert "   outwarden queue hold --account rosa@isp.example" in text
    assert "…" not in text


def test_nothing_in_a_log_moves_the_terminal(hostile: Examination) -> None:
    for screen in (PIPE, TERMINAL):
        text = "\n".join(lines_of(hostile, screen))
        assert not any(char in text for char in "\x1b\x9b\r\u202e")
        assert r"\x1b[2J" in text


def test_senders_outside_are_not_next_in_line(no: Examination, stolen: AccountAssessment) -> None:
    stranger = replace(stolen, account="news@elsewhere.example", standing=Standing.NORMAL, ours=False)
    judged = replace(no.assessment, accounts=(stranger, *no.assessment.accounts))
    text = "\n".join(lines_of(replace(no, assessment=judged), PIPE))
    assert "news@elsewhere.example" not in text
    assert "and 1 more account" in text


def test_a_damaged_file_is_named(yes: Examination) -> None:
    damaged = replace(yes, damage=("mail.log.2.gz: the compressed file is cut off; fetch it again",))
    assert "mail.log.2.gz: the compressed file is cut off; fetch it again." in lines_of(damaged, PIPE)


def test_a_clock_that_went_back_is_counted(yes: Examination) -> None:
    assert "The clock of the log went back 3 times." in lines_of(replace(yes, clock_set_back=3), PIPE)


def test_several_accused_are_named_by_number(yes: Examination, stolen: AccountAssessment) -> None:
    second = replace(stolen, account="tim@isp.example")
    held = replace(stolen, account="may@isp.example", standing=Standing.HELD)
    judged = replace(yes.assessment, accounts=(stolen, second, held))
    assert headline(judged).sentence.startswith(
        "this server is sending spam: rosa@isp.example and 1 other, since 2026-11-23"
    )


def test_a_verdict_about_nobody_gives_its_reason(no: Examination) -> None:
    because = (Finding("bounce-rate", 3.0, "31 % of mail to bigmail.example bounced (own rate 2 %)", None),)
    judged = replace(no.assessment, verdict=Verdict.MAYBE, because=because)
    assert str(headline(judged)) == (
        "MAYBE, this server could be sending spam: 31 % of mail to bigmail.example bounced (own rate 2 %)"
    )
    assert "  +3.0  31 % of mail to bigmail.example bounced (own rate 2 %)" in lines_of(
        replace(no, assessment=judged), PIPE
    )


@pytest.mark.parametrize(("verdict", "code"), [("no", 0), ("maybe", 1), ("yes", 2), ("unknown", 3)])
def test_exit_codes_are_a_monitors(verdict: str, code: int) -> None:
    assert EXIT_CODES[Verdict(verdict)] == code
