"""How a verb asks the running service, and what its faults end with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outwarden.cli.acting import NotFound, NotPermitted, asked_by
from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.settings_option import StoreNotReachable, configuration

READING_SECONDS = 10.0
ACTING_SECONDS = 300.0
"""A mail server with a long queue takes its time."""

_ENDS = {"malformed": WrongArgument, "not-found": NotFound, "store": StoreNotReachable}


class ServiceNotReachable(CouldNot):
    """The service is not there."""

    exit_code = 5


def ask_service(
    options: dict[str, Any], verb: str, arguments: Mapping[str, Any], seconds: float = READING_SECONDS
) -> Any:  # noqa: ANN401 (whatever the verb answers)
    """Return the service's answer.  Raises ``CouldNot`` with the exit code of what is wrong."""
    from outwarden.service.control.client import Failed, Refused, ServiceNotThere, ask

    path = configuration(options).settings.control.socket
    if not path:
        raise ServiceNotReachable("the service takes no questions here: control.socket is empty")
    try:
        return ask(Path(path), verb, arguments, seconds, asked_by())
    except ServiceNotThere as fault:
        raise ServiceNotReachable(str(fault)) from None
    except Refused as fault:
        raise NotPermitted(str(fault)) from None
    except Failed as fault:
        raise _ENDS.get(fault.kind, CouldNot)(str(fault)) from None


def ask_if_there(
    options: dict[str, Any], verb: str, arguments: Mapping[str, Any], seconds: float = ACTING_SECONDS
) -> Any | None:  # noqa: ANN401 (whatever the verb answers)
    """Return the service's answer; None where the verb has to be done without it, for these reasons.

    It is not there or not for this user to ask, or it has itself no right to do it, or does not know the verb.
    """
    from outwarden.service.control.client import Failed, MayNotConnect, Refused, ServiceNotThere, ask

    path = configuration(options).settings.control.socket
    if not path:
        return None
    try:
        return ask(Path(path), verb, arguments, seconds, asked_by())
    except (ServiceNotThere, MayNotConnect):
        return None
    except Refused as fault:
        raise NotPermitted(str(fault)) from None
    except Failed as fault:
        if fault.kind in ("service-may-not", "unknown-verb"):
            return None
        raise _ENDS.get(fault.kind, CouldNot)(str(fault)) from None
