"""More new recipients, or more recipients at all, than this account ever had."""

from __future__ import annotations

from math import log2

from outwarden.detection.window import Window, span
from outwarden.events import Stream

STREAM = Stream.VOLUME

HIGHEST = 4.0
HIGHEST_WITHOUT_RECORD = 3.0
"""An account that we know for less than three active hours has nothing to be measured against."""

FLOOR_NEW_PER_HOUR = 6
FLOOR_NEW_PER_DAY = 12
FLOOR_RECIPIENTS_PER_HOUR = 20
HOURS_THAT_MAKE_A_RECORD = 3


def points(window: Window) -> float:
    """Return log2 of how many times its own record the account reached."""
    ratio = max(
        window.busiest_new / max(FLOOR_NEW_PER_HOUR, window.record_new),
        window.new / max(FLOOR_NEW_PER_DAY, window.record_new_day),
        window.busiest_recipients / max(FLOOR_RECIPIENTS_PER_HOUR, window.record_recipients),
    )
    if ratio <= 1.0:
        return 0.0
    return min(HIGHEST if window.hours_before >= HOURS_THAT_MAKE_A_RECORD else HIGHEST_WITHOUT_RECORD, log2(ratio))


def at_most(new: int, recipients: int, record_new: int, record_recipients: int) -> float:
    """Return what no window can exceed that has this many in all, against these records of an hour."""
    of_new = new / max(FLOOR_NEW_PER_HOUR, record_new)
    of_all = recipients / max(FLOOR_RECIPIENTS_PER_HOUR, record_recipients)
    ratio = max(of_new, of_all)
    return min(HIGHEST, log2(ratio)) if ratio > 1.0 else 0.0


def words(window: Window) -> str:
    """Say the largest of the three quantities beside its own record."""
    per_hour = window.busiest_new / max(FLOOR_NEW_PER_HOUR, window.record_new)
    per_day = window.new / max(FLOOR_NEW_PER_DAY, window.record_new_day)
    of_all = window.busiest_recipients / max(FLOOR_RECIPIENTS_PER_HOUR, window.record_recipients)
    if of_all > max(per_hour, per_day):
        return f"{window.busiest_recipients} recipients in an hour (own record {window.record_recipients})"
    if per_hour >= per_day:
        return f"{window.busiest_new} new recipients in an hour (own record {window.record_new})"
    return f"{window.new} new recipients in {span(window.hours)} (own record {window.record_new_day} a day)"
