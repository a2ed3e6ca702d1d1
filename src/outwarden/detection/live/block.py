"""The decision that blocked an account, kept short: it is said again with every message that is refused."""

from __future__ import annotations

from datetime import datetime

import msgspec

from outwarden.events import AccountCause, Action, Decision, Finding


class Block(msgspec.Struct, array_like=True, frozen=True):
    """When, by how many points, on which evidence, and why; ``findings`` as (rule, points, words)."""

    at: datetime
    points: float
    evidence: tuple[str, ...]
    findings: tuple[tuple[str, float, str], ...]
    cause: AccountCause | None
    because: tuple[str, ...]

    def refusal(self, account: str, at: datetime) -> Decision:
        """Return the decision about a message that is handed in later."""
        findings = tuple(Finding(rule, points, text, self.at, self.evidence) for rule, points, text in self.findings)
        return Decision(account, Action.BLOCK, at, self.points, findings, self.cause, self.because)


def block_of(decision: Decision, evidence: tuple[str, ...]) -> Block:
    """Keep a decision."""
    findings = tuple((finding.rule, finding.points, finding.text) for finding in decision.findings)
    return Block(decision.at, decision.points, evidence, findings, decision.cause, decision.because)
