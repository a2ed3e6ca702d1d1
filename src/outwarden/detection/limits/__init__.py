"""Limits: how much may be handed in within a minute, an hour and a day, whatever is held against anybody.

``Limits`` is the door; the policy's tables ``[limits.*]`` are its settings.  Without any there is no limit.
"""

from outwarden.detection.limits.limits import Limits, MalformedLimits
from outwarden.detection.limits.settings import LimitSettings, Most, Quantities, QuantitiesAndUnknown

__all__ = ["LimitSettings", "Limits", "MalformedLimits", "Most", "Quantities", "QuantitiesAndUnknown"]
