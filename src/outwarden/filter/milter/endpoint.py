"""Where the milter listens: as every door does."""

from outwarden.filter.endpoint import CannotListen, Endpoint, TcpEndpoint, UnixEndpoint

__all__ = ["CannotListen", "Endpoint", "TcpEndpoint", "UnixEndpoint"]
