"""The public collections of complaints: every one is known for what it is, and its fields are right."""

import pytest
from tests.corpus.bounce_grades import COLLECTIONS
from tests.corpus.complaint_grades import grade

pytestmark = pytest.mark.skipif(
    not (COLLECTIONS / "truth_arf.jsonl").exists(), reason="the collections of messages are not beside the project"
)


def test_so_much_is_right() -> None:
    grades = grade()
    assert grades.share("recognised") == 1.0, grades.wrong["recognised"]
    assert grades.share("all fields") >= 0.97, grades.wrong["all fields"]
