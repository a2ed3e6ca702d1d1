"""The one thread that has the store: what is written and asked there is done in order, and nobody waits in the loop."""

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

    def close(self) -> None:
        """Finish what was asked for, and close the store."""
        if self._store is not None:
            self._thread.submit(self._store.close).result()
            self._store = None
        self._thread.shutdown()

    def _opened(self) -> Store:
        if self._store is None:
            raise RuntimeError("the store is not open")
        return self._store
