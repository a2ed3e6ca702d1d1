"""How far a long reading has come, on a terminal's stderr and never in a pipe."""

import sys
import time
from types import TracebackType
from typing import Self

import click

_QUIET_SECONDS = 0.5
_REDRAW_SECONDS = 0.1
_MEGABYTE = 1_000_000


class Progress:
    """A line that redraws itself: ``62 %  93 of 151 MB``; gone without a trace at the end.

    Work that is done at once shows nothing, and neither does a run that is not ``wanted`` to.
    What is not counted in bytes names its ``unit``.
    """

    def __init__(self, wanted: bool = True, unit: str = "MB") -> None:
        self._unit = unit
        self._size = _MEGABYTE if unit == "MB" else 1
        self._shown = wanted and sys.stderr.isatty()
        self._drawn = False
        self._next = time.monotonic() + _QUIET_SECONDS

    def __enter__(self) -> Self:
        return self

    def __call__(self, read: int, total: int) -> None:
        """Say how much of ``total`` is done, in bytes or units; 0 where nobody knows of how many."""
        if not self._shown or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _REDRAW_SECONDS
        self._drawn = True
        share = f"{min(100 * read // total, 100):3} %  " if total else ""
        of_total = f" of {total // self._size:,}" if total else ""
        click.echo(f"\r{share}{read // self._size:,}{of_total} {self._unit}", err=True, nl=False)

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away, so that something else can be printed; it comes back by itself."""
        if self._drawn:
            click.echo("\r" + " " * 60 + "\r", err=True, nl=False)
            self._drawn = False
