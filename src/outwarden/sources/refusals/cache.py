"""Refusals by the million: a wording that comes again is not judged again.

Promise: ``classify_cached(text, domain) == classify(text, domain)`` for every text, because a text is
judged by its wording alone (``wording.py``), and what is listed is read anew from each text.
At most ``_MOST_WORDINGS`` are remembered; then all are forgotten.
"""

from outwarden.events import Refusal, RefusalClass
from outwarden.sources.refusals.classify import Judgement, judge, refusal
from outwarden.sources.refusals.unwrap import words_of
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
    words = words_of(text)
    return refusal(text, words, _judgements[wording(words)], sender_domain)


def class_cached(text: str, sender_domain: str | None = None) -> RefusalClass:
    """Return the class that ``classify_cached`` gives; what is listed is looked for only where that decides."""
    words = words_of(text)
    judgement = _judgements[wording(words)]
    if judgement.refusal_class is RefusalClass.URL_BLOCKLISTED:
        return refusal(text, words, judgement, sender_domain).refusal_class
    return judgement.refusal_class
