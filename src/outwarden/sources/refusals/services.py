"""Services that receive mail, by their host names."""

from functools import cache

from outwarden.sources.refusals.rulebook import read_table

HOST = r"(?:[a-z0-9_-]{1,63}+\.){1,9}[a-z]{2,24}"
"""A host or domain name, lower-case."""


class _Services:
    """Which service a host name belongs to."""

    def __init__(self) -> None:
        self._by_host: dict[str, str] = {}
        for service, entry in read_table("providers.toml").items():
            for host in entry["hosts"].split():
                self._by_host.setdefault(host, service)

    def known_part(self, host: str) -> str | None:
        """Return the end of a host name (lower-case) that tells its service, or None."""
        while host:
            if host in self._by_host:
                return host
            host = host.partition(".")[2]
        return None

    def of(self, host: str) -> str | None:
        """Return the service that a host name (lower-case) belongs to, or None."""
        known = self.known_part(host)
        return None if known is None else self._by_host[known]


@cache
def services() -> _Services:
    """Return the services of ``providers.toml`` by host name."""
    return _Services()
