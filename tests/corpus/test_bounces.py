"""The public collections of bounces and reports: how much of them is read right, and that twins read alike."""

import pytest
from tests.corpus.bounce_grades import COLLECTIONS, Grades, grade, rows_of

from outwarden.sources.reports import read_report
from outwarden.sources.reports.opened import body_of, one_line_end, opened

pytestmark = pytest.mark.skipif(
    not (COLLECTIONS / "truth_bounce.jsonl").exists(), reason="the collections of messages are not beside the project"
)


@pytest.fixture(scope="module")
def grades() -> Grades:
    return grade()


@pytest.mark.parametrize(
    ("figure", "least"),
    [
        ("recipients exact", 0.95),
        ("no false recipient", 1.0),
        ("status exact", 0.94),
        ("permanent", 0.97),
        ("class", 0.90),
        ("Message-ID", 0.97),
        ("kind", 0.99),
    ],
)
def test_so_much_is_right(grades: Grades, figure: str, least: float) -> None:
    assert grades.share(figure) >= least, grades.wrong[figure]


def test_the_line_ends_do_not_matter() -> None:
    for row in rows_of("truth_bounce.jsonl"):
        message = (COLLECTIONS / row["file"]).read_bytes()
        if message.count(b"\r") != message.count(b"\r\n"):
            continue
        plain = message.replace(b"\r\n", b"\n")
        asked = read_report(plain)
        assert read_report(plain.replace(b"\n", b"\r\n")) == asked, row["file"]
        assert read_report(plain.replace(b"\n", b"\r")) == asked, row["file"]


def test_twins_read_alike() -> None:
    for folder in ("dos", "mac"):
        for twin in (COLLECTIONS / "sisimai" / folder).iterdir():
            plain = COLLECTIONS / "sisimai" / "bsd" / twin.name
            if plain.exists():
                assert read_report(twin.read_bytes()) == read_report(plain.read_bytes()), twin.name


def test_what_a_bounce_returns_is_no_bounce_but_mail() -> None:
    """Hundreds of letters lie in the bounces, each of which was somebody's mail."""
    kinds: dict[str, int] = {}
    for row in rows_of("truth_bounce.jsonl"):
        report = opened(one_line_end((COLLECTIONS / row["file"]).read_bytes().lstrip()))
        for part in report.parts:
            letter = body_of(report.message, part, 1 << 20) if part.type == "message/rfc822" else b""
            if len(letter) > 300:
                kind = read_report(letter).kind
                kinds[kind] = kinds.get(kind, 0) + 1
    assert kinds["mail"] > 300
    # Some are bounces, complaints and answers in fact, which others sent on.
    assert sum(kinds.values()) - kinds["mail"] <= 10
