"""Public single lines of Postfix, each with the fields that it should give, read as the case says.

The cases name fields in words of their own and keep some text whole that we split further; so a
value of a case counts as found where one of our fields has it, and of a case's ``keyvalue_data``
each ``key=value`` must be found.  What is left out, and why, stands in ``NOT_LINES`` and ``RAW``.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from outwarden.sources.logs.postfix_lines import read_line

FOLDER = Path(__file__).parents[3] / "shared" / "corpora" / "logs" / "postfix-lines"
CASES = sorted(FOLDER.glob("*.yaml"))
# Pieces of a line that the cases' own grammar names, but Postfix never writes as a line.
NOT_LINES = re.compile(
    r"command_counter_data_|tls_features_(?:00(?:0[4-9]|1\d))|keyvalue_data_|client_info_|relay_info_"
)
# Names of the remainder of a line: what it holds is in our fields, without the words between.
RAW = {"postfix_message", "postfix_keyvalue_data", "postfix_proxy_message"}
# Said by the kind of line and not by a field.
BY_KIND = {"postfix_postscreen_violation": "blocklist-rank", "postfix_message": "removed"}

pytestmark = pytest.mark.skipif(not CASES, reason="the shared log corpora are not beside the project")


def missing(results: dict[str, Any], kind: str, fields: dict[str, str]) -> list[str]:
    values = set(fields.values())
    lost = [
        f"{name}: {value}"
        for name, value in results.items()
        if name not in RAW and str(value) not in values and BY_KIND.get(name) != kind
    ]
    everything = "\0".join(fields.values())
    pairs = re.findall(r"\b\w+=<?([^ ,>]*)", str(results.get("postfix_keyvalue_data", "")))
    return lost + [f"pair: {pair}" for pair in pairs if pair.split("[")[0] not in everything]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_line_is_read_as_the_case_says(path: Path) -> None:
    case = yaml.safe_load(path.read_text())
    if NOT_LINES.match(path.stem) and read_line(case["data"]) is None:
        pytest.skip("a piece of a line: Postfix never writes it by itself")
    line = read_line(case["data"])
    assert line is not None, case["data"]
    assert missing(case["results"], line.kind, line.fields) == []
