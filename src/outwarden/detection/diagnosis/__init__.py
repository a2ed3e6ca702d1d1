"""The diagnosis: what a combination of listings means, whose affair it is, and what to do next.

The rules stand in ``rules.toml``, to be read as a table.  Only lists that were found healthy vote;
"clean" is said only when enough of the major lists answered, and what could not be asked is never
taken for "not listed".  Joined with what the logs say and with what was listed before.
"""

from outwarden.detection.diagnosis.diagnose import diagnose
from outwarden.detection.diagnosis.joining import TargetListings, joined
from outwarden.detection.diagnosis.shape import ListingPeriod, Shape, delisting_blocked, shapes, with_today
from outwarden.detection.diagnosis.signs import LogSigns, log_signs

__all__ = [
    "ListingPeriod",
    "LogSigns",
    "Shape",
    "TargetListings",
    "delisting_blocked",
    "diagnose",
    "joined",
    "log_signs",
    "shapes",
    "with_today",
]
