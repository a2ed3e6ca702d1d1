"""The filter's own mistakes: what it let through and should not have, what it stopped and should not have.

*Missed*: a message that went out and that a remote then refused as spam or because of a listing, or that a recipient
complained of.  *Wrong*: a message that was held or refused, or would have been, and that a person, a probe or the
owner of the account let go; one that a remote then refused as spam was stopped rightly after all.

What rises is judged by accounts and not by messages, because the messages of one account stand or fall together.
"""

from outwarden.detection.filter_watch.mistakes import FALSE_ALARMS_A_DAY
from outwarden.detection.filter_watch.watch import FilterWatch, MalformedFilterWatch, ReleasedBy

__all__ = ["FALSE_ALARMS_A_DAY", "FilterWatch", "MalformedFilterWatch", "ReleasedBy"]
