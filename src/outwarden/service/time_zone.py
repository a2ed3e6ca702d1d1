"""The time zone in which a log's stamps are to be read where they do not name their own."""

import os
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo


class UnknownZone(ValueError):
    """There is no time zone of that name; the message says so."""


def named_zone(name: str) -> tzinfo:
    """Return the zone of a name such as ``UTC`` or ``Europe/Berlin``.  Raises ``UnknownZone``."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError) as fault:
        raise UnknownZone(f"{name!r} is no time zone; give a name such as UTC or Europe/Berlin") from fault


def local_zone(clock_file: Path = Path("/etc/localtime")) -> tzinfo:
    """Return this machine's own zone, by ``TZ`` or by its clock file; UTC where neither says."""
    try:
        if name := os.environ.get("TZ", "").removeprefix(":"):
            return named_zone(name)
        with clock_file.open("rb") as file:
            zone = ZoneInfo.from_file(file, key=clock_file.resolve().as_posix().rpartition("zoneinfo/")[2])
    except (ValueError, OSError):
        return UTC
    # The reader has a short cut for UTC proper.
    return UTC if zone.key in ("UTC", "Etc/UTC", "UCT", "Etc/UCT", "Zulu") else zone
