"""Judging an account in the moment: its record, its open ledger, and what to do with the next message.

``Judge`` is the door; ``docs/reference/judging.md`` shows the way of one message through the files behind it.
"""

from outwarden.detection.live.judge import Judge, Release
from outwarden.detection.live.policy import SHIPPED_POLICIES, Policy, PolicyError, read_policy, shipped_policy

__all__ = ["SHIPPED_POLICIES", "Judge", "Policy", "PolicyError", "Release", "read_policy", "shipped_policy"]
