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
    """

    def __init__(self, wanted: bool = True) -> None:
        self._shown = wanted and sys.stderr.isatty()
        self._drawn = False
        self._next = time.monotonic() + _QUIET_SECONDS

    def __enter__(self) -> Self:
        return self

    def __call__(self, read: int, total: int) -> None:
        """Say that ``read`` bytes of ``total`` have been read; 0 where nobody knows how many there are."""
        if not self._shown or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _REDRAW_SECONDS
        self._drawn = True
        share = f"{min(100 * read // total, 100):3} %  " if total else ""
        of_total = f" of {total // _MEGABYTE}" if total else ""
        click.echo(f"\r{share}{read // _MEGABYTE}{of_total} MB", err=True, nl=False)

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._drawn:
            click.echo("\r" + " " * 40 + "\r", err=True, nl=False)
