"""Refusals by the million: a wording that comes again is not judged again.

Promise: ``classify_cached(text, domain) == classify(text, domain)`` for every text, because a text is
judged by its wording alone (``wording.py``), and what is listed is read anew from each text.
At most ``_MOST_WORDINGS`` are remembered; then all are forgotten.
"""

from outwarden.events import Refusal
from outwarden.sources.refusals.classify import Judgement, judge, refusal
from outwarden.sources.refusals.unwrap import one_line
from outwarden.sources.refusals.wording import wording

_MOST_WORDINGS = 8192
_LONGEST_REMEMBERED = 1500


class _Judgements(dict[str, Judgement]):
    """The judgement of each wording met lately; forgets all of them when there are too many."""

    def __missing__(self, worded: str) -> Judgement:
        judgement = judge(worded)
        if len(worded) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_WORDINGS:
                self.clear()
            self[worded] = judgement
        return judgement


_judgements = _Judgements()


def classify_cached(text: str, sender_domain: str | None = None) -> Refusal:
    """Return the same as ``classify``, faster for a wording that was met before."""
    line = one_line(text)
    return refusal(text, line, _judgements[wording(line)], sender_domain)
