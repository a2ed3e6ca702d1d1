"""What is known of one list while it is asked, and how much of it may be asked."""

from __future__ import annotations

from outwarden.dns.blocklist import Blocklist, Tier
from outwarden.dns.catalogue import Catalogue
from outwarden.dns.list_answers import CodeBook, Reading
from outwarden.dns.list_health import Control, Health, proved_by
from outwarden.dns.list_names import suffix, target_part
from outwarden.dns.questions import Question
from outwarden.dns.targets import Target, TargetKind

SAMPLE = 48
"""So many of a sweep's answers tell whether the list answers everything."""

_SWEEP = 64
_LONGEST_NAME = 253
# What a list is asked in one turn (one: its questions must not all be lost in one burst), before its controls are
# in, and at most at a time.
_AT_ONCE = 1
_LEAD = 16
_MOST_OUTSTANDING = 128


class Desk:
    """One list, asked about one kind of target.

    ``health`` is None until its controls are in; what it answers meanwhile is ``held``, and so are the first answers
    of a sweep (``sampling``), until they can be looked at together.  ``doubt`` is a verdict that waits until it is
    known whether the resolver itself can be believed.  ``position`` is the next target to ask about.
    """

    __slots__ = (
        "asked_again", "blocklist", "book", "controls_left", "count", "doubt", "group", "health", "held", "key",
        "kind", "longest", "major", "outstanding", "position", "proof", "read", "refusals", "sampling",
        "seen", "seen_listed", "settled", "suffix",
    )  # fmt: skip

    def __init__(self, blocklist: Blocklist, kind: TargetKind, catalogue: Catalogue, count: int) -> None:
        self.blocklist = blocklist
        self.kind = kind
        self.proof = proved_by(blocklist, kind)
        self.book = CodeBook(blocklist, catalogue.errors)
        self.key = catalogue.key(blocklist)
        self.suffix = suffix(blocklist, self.key)
        self.group = blocklist.id
        self.longest = _LONGEST_NAME - len(self.suffix)
        self.major = blocklist.tier is Tier.MAJOR
        self.health: Health | None = None
        self.doubt: Health | None = None
        self.controls_left = 0
        self.asked_again = False
        self.read: list[tuple[Control, Reading]] = []
        self.held: list[tuple[Question, Target, Reading, int]] = []
        self.count = count
        self.sampling = count >= _SWEEP
        self.position = self.outstanding = 0
        self.seen = self.seen_listed = self.refusals = 0
        # Nothing is left to decide about an answer without records: most answers of a sweep are such.
        self.settled = False

    def room(self) -> int:
        """About how many more targets the list may be asked just now."""
        verdict = self.health or self.doubt
        if self.position >= self.count or (verdict is not None and not verdict.fit):
            return 0
        if self.health is None and self.sampling:
            # Until it is known whether the list is fit, only so much is asked.
            return max(0, min(_AT_ONCE, _LEAD - self.position))
        return _AT_ONCE if self.outstanding < _MOST_OUTSTANDING else 0

    def part(self, target: Target) -> str | None:
        """What stands left of the zone to ask about the target; None where it is not asked."""
        return target_part(self.blocklist, target, self.longest)
