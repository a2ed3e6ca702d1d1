"""``status --metrics``: OpenMetrics that a parser takes, and that names no account."""

import re
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.cli.test_status import AT, CALM

from outwarden.cli.metrics import open_metrics
from outwarden.detection.filter_report import FilterReport, Mistakes
from outwarden.service.control.status import AccountStatus, LogStatus
from outwarden.service.control.status import Status as Screen

_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (-?[0-9.e+-]+|NaN)')
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\n"])*)"')
_SUFFIX = {"gauge": "", "counter": "_total", "info": "_info"}

REPORT = FilterReport(
    None,
    AT,
    Mistakes("filter", "", 900, 12, 2, 1),
    rules=(Mistakes("rule", "new-recipients", None, 9, 1, 0, rising=("more than usual",)),),
    lists=(Mistakes("list", "spamhaus-zen", late=3, could_not_ask=4),),
    accounts=(Mistakes("account", "rosa@isp.example", 5, 4, 3, 2),),
    days=(Mistakes("day", "2026-11-25", 5, 4, 3, 2),),
)


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read it by the rules: families whole and once, their kind first, the right suffix, no sample twice, an end."""
    assert text.endswith("\n# EOF\n")
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    kinds: dict[str, str] = {}
    family = ""
    for line in text.removesuffix("# EOF\n").splitlines():
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family not in kinds, "a family in two pieces"
            kinds[family] = kind
            continue
        if line.startswith("# HELP "):
            assert line.split(" ")[2] == family
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample is not None, line
        assert sample[1] == family + _SUFFIX[kinds[family]]
        key = (sample[1], tuple(sorted(_LABEL.findall(sample[2] or ""))))
        assert key not in found
        found[key] = float(sample[3])
    return found


def test_what_is_told() -> None:
    found = parsed(open_metrics(CALM, REPORT))
    assert found["outwarden_gate_messages_total", (("outcome", "accepted"),)] == 12_201
    assert found["outwarden_sending_spam", (("answer", "no"),)] == 1
    assert found["outwarden_sending_spam", (("answer", "yes"),)] == 0
    assert found["outwarden_filter_messages", (("name", ""), ("of", "filter"), ("outcome", "missed"))] == 1
    assert found["outwarden_filter_messages", (("name", "new-recipients"), ("of", "rule"), ("outcome", "wrong"))] == 1
    assert found["outwarden_filter_lookups", (("list", "spamhaus-zen"), ("outcome", "could_not_ask"))] == 4
    assert found["outwarden_filter_rising", (("name", "new-recipients"), ("of", "rule"))] == 1


def test_no_account_is_named() -> None:
    screen = Screen(
        AT, AT, "0", "yes", accounts=tuple(AccountStatus(f"rosa{n}@isp.example", "held", True) for n in range(300))
    )
    text = open_metrics(screen, REPORT)
    assert "rosa" not in text
    assert parsed(text)["outwarden_accounts", (("in_force", "true"), ("standing", "held"))] == 300


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text())
def test_any_name_can_be_told(log: str, rule: str) -> None:
    screen = Screen(AT, datetime(2026, 1, 1, tzinfo=UTC), log, "unknown", logs=(LogStatus(log, True, 1, 0.25, 7),))
    report = FilterReport(None, AT, Mistakes("filter", ""), rules=(Mistakes("rule", rule),))
    text = open_metrics(screen, report)
    assert text.count("\n# TYPE outwarden_log_lag_seconds gauge\n") == 1
    assert " 0.25\n" in text
    assert len(text.split("\n")) == len(open_metrics(plain_named(screen), report).split("\n"))


def plain_named(screen: Screen) -> Screen:
    """The same with plain names: what a name holds adds no line."""
    return Screen(AT, screen.running_since, "v", "unknown", logs=(LogStatus("l", True, 1, 0.25, 7),))
