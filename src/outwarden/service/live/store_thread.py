"""The one thread that has the store: what is written and asked there is done in order, and nobody waits in the loop.

What an operator asks is read beside it: while a long past is written that would be a long wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from outwarden.store.store import Store

_P = ParamSpec("_P")
_T = TypeVar("_T")


class StoreThread:
    """``open`` it first, ``close`` it last; between, ``run`` what wants the store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, "store")
        self._beside = ThreadPoolExecutor(1, "store, read only")
        self._store: Store | None = None

    def open(self) -> None:
        """Open the store as its one writer.  Raises ``StoreUnusable``."""
        self._store = self._thread.submit(Store, self.path, writer=True).result()

    async def run(self, deed: Callable[Concatenate[Store, _P], _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Return what a function of the store returns.  Raises what it raises, ``StoreUnusable`` among it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: deed(self._opened(), *arguments, **named))

    def run_now(self, deed: Callable[Concatenate[Store, _P], _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """The same for whoever may wait: before the loop begins, and in other threads."""
        return self._thread.submit(lambda: deed(self._opened(), *arguments, **named)).result()

    async def read(self, question: Callable[Concatenate[Store, _P], _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Return what a function finds in the store that only reads; it waits for nobody who writes.

        Raises ``StoreUnusable``.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._beside, lambda: _found(self.path, question, *arguments, **named))

    def close(self) -> None:
        """Finish what was asked for, and close the store."""
        self._beside.shutdown()
        if self._store is not None:
            self._thread.submit(self._store.close).result()
            self._store = None
        self._thread.shutdown()

    def _opened(self) -> Store:
        if self._store is None:
            raise RuntimeError("the store is not open")
        return self._store


def _found(path: Path, question: Callable[Concatenate[Store, _P], _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
    # Opened anew each time, which takes a millisecond: what is remembered of names is wrong once some are forgotten.
    with Store(path, read_only=True) as store:
        return question(store, *arguments, **named)
