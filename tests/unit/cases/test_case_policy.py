"""The policy of cases: what it means, and what is wrong with one."""

import pytest

from outwarden.cases.policy import CasePolicyError, GroupPolicy, Measure, Repeats, Role, read_case_policy
from outwarden.cases.response_requests import ResponseName

WRONG = [
    ("no toml", "may = x", "Invalid value (at line 1, column 7); correct the TOML"),
    (
        "would lock everybody",
        "[groups.default.repeats]\nlock_from = 1\n",
        "line 2: groups.default.repeats.lock_from: 1 would lock everybody at the first offence; "
        "write 2 or more, or lock_everybody = true on top",
    ),
    (
        "would end everybody's service",
        "[groups.staff.repeats]\nend_service_from = 1\n",
        "line 2: groups.staff.repeats.end_service_from: 1 would lock everybody at the first offence; "
        "write 2 or more, or lock_everybody = true on top",
    ),
    ("no threshold", "[groups.default]\nopens_from_points = 0\n",
     "line 2: groups.default.opens_from_points: must be above 0; write for instance 9.0"),
    ("no days", "[groups.default.repeats]\nwithin_days = 0\n",
     "line 2: groups.default.repeats.within_days: 0 is too little"),
    ("unknown key", "[may]\nnoote = 'desk'\n", "line 2: may.noote: unknown key; did you mean 'note'?"),
    ("unknown key of a group", "[groups.a]\n[groups.b.repeats]\nlock_form = 2\n",
     "line 3: groups.b.repeats.lock_form: unknown key; did you mean 'lock_from'?"),
    ("unknown role", "[may]\nnote = 'boss'\n", "line 2: may.note: Invalid enum value 'boss'"),
    ("unknown response", "[groups.a]\nconfirm = ['reset-pasword']\n",
     "line 2: groups.a.confirm: no response 'reset-pasword'; did you mean 'reset-password'?"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), [each[1:] for each in WRONG], ids=[each[0] for each in WRONG])
def test_what_is_wrong_is_told_with_line_and_cure(text: str, words: str) -> None:
    with pytest.raises(CasePolicyError) as told:
        read_case_policy(text)
    assert str(told.value) == words


def test_whoever_wants_to_lock_everybody_says_so() -> None:
    policy = read_case_policy("lock_everybody = true\n[groups.default.repeats]\nlock_from = 1\n")
    assert policy.of_group("any").repeats.measure(1) is Measure.LOCK


def test_a_group_without_a_policy_has_the_default_one() -> None:
    policy = read_case_policy("[groups.default]\nopens_from_points = 7.0\n[groups.staff]\nconfirm = ['lock-account']\n")
    assert policy.of_group("students").opens_from_points == 7.0
    assert policy.of_group("staff").confirm == {ResponseName.LOCK_ACCOUNT}
    assert read_case_policy("").of_group("x") == GroupPolicy()


MEASURES = [(1, Measure.WARN), (2, Measure.WARN), (3, Measure.LOCK), (4, Measure.LOCK), (5, Measure.END_SERVICE)]


@pytest.mark.parametrize(("offence", "measure"), MEASURES)
def test_repeats(offence: int, measure: Measure) -> None:
    assert Repeats(lock_from=3, end_service_from=5).measure(offence) is measure


def test_each_role_may_what_the_one_below_may() -> None:
    assert [[one.may(least) for least in Role] for one in Role] == [
        [True, False, False, False], [True, True, False, False], [True, True, True, False], [True, True, True, True],
    ]  # fmt: skip
