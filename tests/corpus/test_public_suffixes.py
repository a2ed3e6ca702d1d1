"""The public suffix project's own cases: which part of a name somebody can register."""

from pathlib import Path

import pytest

from outwarden.dns.list_names import registrable_domain

CASES = Path(__file__).parents[3] / "shared" / "corpora" / "dns" / "psl" / "tests.txt"

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the shared DNS corpora are not beside the project")


def cases() -> list[tuple[str, str]]:
    if not CASES.exists():
        return []
    lines = (line.split() for line in CASES.read_text(encoding="utf-8").splitlines())
    return [
        (pair[0], pair[1]) for pair in lines if len(pair) == 2 and pair[0] != "null" and not pair[0].startswith("//")
    ]


@pytest.mark.parametrize(("name", "registrable"), cases())
def test_registrable_domain(name: str, registrable: str) -> None:
    # A name that nobody can register, a suffix itself, is asked about as it is.
    asked = registrable_domain(name.lower())
    if registrable == "null":
        assert asked in ("", name.lower().strip("."), name.lower())
    else:
        assert asked == registrable
