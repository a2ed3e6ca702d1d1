"""How fast one list may be asked: a token bucket.  ``now`` is an argument, in seconds of any steady clock."""

# A turn of the loop may come late by this much, and what was not asked meanwhile is asked at once.
_BURST_SECONDS = 0.05


class Pace:
    """Lets ``per_second`` queries through, with bursts no longer than one query or a twentieth of a second."""

    __slots__ = ("_burst", "_filled_at", "_per_second", "_tokens")

    def __init__(self, per_second: float) -> None:
        if per_second <= 0:
            raise ValueError(f"a pace of {per_second} queries per second never asks")
        self._per_second = per_second
        self._burst = max(1.0, per_second * _BURST_SECONDS)
        self._tokens = 1.0
        self._filled_at = float("-inf")

    def wait_seconds(self, now: float) -> float:
        """Return after how many seconds the next query may go: 0 for at once."""
        if now > self._filled_at:
            filled = (now - self._filled_at) * self._per_second
            self._tokens = min(self._burst, self._tokens + filled)
            self._filled_at = now
        return max(0.0, (1.0 - self._tokens) / self._per_second)

    def spend(self) -> None:
        """Count one query; one that could not wait, as it repeats a lost one, delays the next."""
        self._tokens -= 1.0
