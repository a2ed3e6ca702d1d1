"""The public RFC 7208 suite of the folder beside the project: its cases and its zones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from outwarden.authentication.answers import Answer, RecordType

SUITE = Path(__file__).resolve().parents[4] / "shared" / "corpora" / "dns" / "rfc7208-tests.yml"


class Case(NamedTuple):
    name: str
    address: str
    helo: str
    envelope_sender: str
    results: list[str]
    explanation: str | None
    zones: "SuiteZones"


class SuiteZones:
    """The suite's own notation: SPF stands for TXT unless TXT is there; TIMEOUT after what is answered."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = {name.lower(): entries for name, entries in table.items()}

    def ask(self, name: str, kind: RecordType) -> Answer:
        entries = self._table.get(name.lower())
        if entries is None:
            return Answer(exists=False)
        texts = [entry for entry in entries if entry != "TIMEOUT" and "TXT" in entry]
        found = []
        for entry in entries:
            if entry == "TIMEOUT":
                return Answer(tuple(found)) if found else Answer(failure="timeout")
            ((entry_kind, value),) = entry.items()
            if entry_kind == "CNAME":
                return self.ask(value, kind)
            if entry_kind == kind or (entry_kind == "SPF" and kind == RecordType.TXT and not texts):
                found += [] if value == "NONE" else [_text(kind, value)]
        return Answer(tuple(found))


def _text(kind: RecordType, value: Any) -> str:  # noqa: ANN401 (whatever the suite holds)
    if kind == RecordType.TXT:
        return "".join(value) if isinstance(value, list) else value
    if kind == RecordType.MX:
        return f"{value[0]} {value[1].lower()}"
    return str(value).removesuffix(".").lower()


def cases() -> Iterator[Case]:
    for scenario in yaml.safe_load_all(SUITE.read_text(encoding="utf-8")):
        zones = SuiteZones(scenario["zonedata"])
        for name, test in scenario["tests"].items():
            results = test["result"] if isinstance(test["result"], list) else [test["result"]]
            explanation = test.get("explanation", "")
            wanted = None if explanation == "DEFAULT" else explanation
            yield Case(name, test["host"], test["helo"], test["mailfrom"], results, wanted, zones)
