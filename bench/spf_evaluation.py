"""Claim: every case of the public RFC 7208 suite, in less time than pyspf takes.

    python bench/spf_evaluation.py [ROUNDS]

Zones are in memory, so only thinking is measured. pyspf is measured where it can be imported.
"""

import statistics
import sys
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from outwarden.authentication.answers import RecordType
from outwarden.authentication.spf import Sending, evaluate_spf

SUITE_READER = Path(__file__).resolve().parents[1] / "tests" / "unit" / "authentication"
Check = Callable[[Any], str]


def ours(case: Any) -> str:  # noqa: ANN401 (a case of the suite's reader, which lives with the tests)
    """Evaluate one case."""
    return evaluate_spf(Sending(ip_address(case.address), case.helo, case.envelope_sender), case.zones).result


def pyspf() -> Check | None:
    """Return pyspf's way to evaluate a case, or None where it is not there."""
    try:
        import spf
    except ImportError:
        return None

    def check(case: Any) -> str:  # noqa: ANN401
        def look_up(name: str, kind: str, *_rest: object, **_more: object) -> list[tuple[tuple[str, str], Any]]:
            if kind == "SPF":
                return []
            answer = case.zones.ask(name.removesuffix("."), RecordType(kind))
            if answer.failure is not None:
                raise spf.TempError("DNS timeout")
            return [((name, kind), _rdata(kind, value)) for value in answer.values]

        spf.DNSLookup = look_up
        return str(spf.query(i=case.address, s=case.envelope_sender, h=case.helo, strict=1).check()[0])

    return check


def _rdata(kind: str, value: str) -> Any:  # noqa: ANN401
    if kind == "TXT":
        return (value.encode("utf-8", "surrogateescape"),)
    if kind == "MX":
        preference, _, host = value.partition(" ")
        return (int(preference), host)
    return ip_address(value).packed if kind == "AAAA" else value


def measure(name: str, check: Check, cases: list[Any], rounds: int) -> None:
    """Print how many cases are right, and the median time of one."""
    right = sum(check(case) in case.results for case in cases)
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        for case in cases:
            check(case)
        times.append((time.process_time() - begun) / len(cases))
    print(f"{name:<12}{right:>5} of {len(cases)} right  {statistics.median(times) * 1e6:8.0f} us a check")


def main() -> None:
    """Measure both, or say why not."""
    sys.path.insert(0, str(SUITE_READER))
    from spf_suite import SUITE, cases

    if not SUITE.exists():
        print("the shared DNS corpora are not beside the project; nothing to measure")
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    suite = list(cases())
    measure("Outwarden", ours, suite, rounds)
    peer = pyspf()
    if peer is None:
        print("pyspf cannot be imported; not measured")
    else:
        measure("pyspf", peer, suite, rounds)


if __name__ == "__main__":
    main()
