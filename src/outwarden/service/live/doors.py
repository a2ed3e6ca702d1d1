"""The doors of the gate that the settings open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

from outwarden.filter import Decider, SpoolSpace
from outwarden.filter.connection import Undecided
from outwarden.filter.endpoint import Endpoint, TcpEndpoint, UnixEndpoint
from outwarden.filter.listener import Listener
from outwarden.service.settings import Configuration

KINDS = ("milter", "policy_service", "rspamd", "readsocket")


Door = Listener


def endpoint_of(configuration: Configuration, key: str, text: str, group: str) -> Endpoint:
    """Return where a door is: ``unix:PATH`` or ``HOST:PORT``.  Raises ``ConfigurationError``."""
    if text.startswith("unix:"):
        path = Path(text.removeprefix("unix:"))
        if not path.is_absolute():
            raise configuration.wrong(key, f"{text!r} is no whole path; write unix:/run/outwarden/{path.name}")
        return UnixEndpoint(path, group=group or None)
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536 or not host:
        raise configuration.wrong(key, f"{text!r} is neither unix:PATH nor HOST:PORT")
    return TcpEndpoint(host.strip("[]"), int(port))


def endpoints(configuration: Configuration) -> dict[str, Endpoint]:
    """Return where each door is that the settings open, by its setting.  Raises ``ConfigurationError``."""
    gate = configuration.settings.gate
    wanted = {kind: text for kind in KINDS if (text := getattr(gate, kind))}
    return {kind: endpoint_of(configuration, f"gate.{kind}", text, gate.group) for kind, text in wanted.items()}


def doors(configuration: Configuration, decider: Decider, say: Callable[[str], None]) -> dict[str, Door]:
    """Return the doors by their setting, none of them open yet.  Raises ``ConfigurationError``."""
    gate = configuration.settings.gate
    space = SpoolSpace(Path(gate.spool or gettempdir()))
    undecided = Undecided(gate.undecided)
    return {
        kind: _listener(kind)(endpoint, decider, space, say, undecided=undecided)
        for kind, endpoint in endpoints(configuration).items()
    }


def _listener(kind: str) -> Callable[..., Door]:
    """Each is imported when it is opened: most sites open one."""
    if kind == "policy_service":
        from outwarden.filter.policy_delegation.listener import PolicyListener

        return PolicyListener
    if kind == "rspamd":
        from outwarden.filter.rspamd_protocol.listener import RspamdListener

        return RspamdListener
    if kind == "readsocket":
        from outwarden.filter.readsocket.listener import ReadsocketListener

        return ReadsocketListener
    from outwarden.filter.milter.listener import MilterListener

    return MilterListener
