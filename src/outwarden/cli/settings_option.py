"""Reads the settings for a verb, and says in one line what is wrong with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outwarden.cli.failure import CouldNot

if TYPE_CHECKING:
    from outwarden.service.settings import Configuration


class BadConfiguration(CouldNot):
    """The configuration cannot be used; sysexits.h calls this EX_CONFIG."""

    exit_code = 78


class StoreNotReachable(CouldNot):
    """The store cannot be read or written."""

    exit_code = 5


@contextmanager
def settings_in_words() -> Iterator[None]:
    """Turn what is wrong with a setting into one line for the operator."""
    from outwarden.service.settings import ConfigurationError

    try:
        yield
    except ConfigurationError as fault:
        raise BadConfiguration(str(fault)) from fault


def configuration(options: dict[str, Any]) -> "Configuration":
    """Return the settings of ``--config`` or the default file.  Raises ``BadConfiguration``."""
    from outwarden.service.settings import load

    named = options.get("config")
    with settings_in_words():
        return load(Path(named) if named else None)
