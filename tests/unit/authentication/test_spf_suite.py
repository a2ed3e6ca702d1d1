"""The public RFC 7208 suite: evaluation, and the same records judged without a message."""

import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from outwarden.authentication.spf import Sending, evaluate_spf
from outwarden.authentication.spf_record import SpfSurvey, survey_spf

sys.path.insert(0, str(Path(__file__).parent))
from spf_suite import SUITE, Case, cases

pytestmark = pytest.mark.skipif(not SUITE.exists(), reason="the shared DNS corpora are not beside the project")
CASES = list(cases()) if SUITE.exists() else []
VERDICTS = {"none": {"none"}, "permerror": {"broken"}, "temperror": {"could not ask"}}


def test_the_suite_is_whole() -> None:
    assert len(CASES) == 203


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_evaluation(case: Case) -> None:
    verdict = evaluate_spf(Sending(ip_address(case.address), case.helo, case.envelope_sender), case.zones)
    assert verdict.result in case.results
    if case.explanation != "":
        assert verdict.explanation == case.explanation


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_is_the_record_usable(case: Case) -> None:
    domain = (case.envelope_sender or case.helo).rpartition("@")[2].lower()
    wanted = set().union(*(VERDICTS.get(result, {"usable"}) for result in case.results))
    assert in_words(survey_spf(domain, case.zones)) in wanted


def in_words(survey: SpfSurvey) -> str:
    if survey.usable is None:
        return "could not ask"
    if survey.usable:
        return "usable"
    return "broken" if survey.faults else "none"
