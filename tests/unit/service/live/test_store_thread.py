"""What an operator asks does not wait for what is being written."""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path

from outwarden.service.live.store_thread import StoreThread
from outwarden.store.ingest import Checkpoint
from outwarden.store.store import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def states(store: Store) -> dict[str, bytes]:
    return store.ingest.states()


def write(store: Store, name: str) -> None:
    store.ingest.write(Checkpoint(NOW, states={name: b""}))


def test_reading_goes_on_beside_a_long_writing(tmp_path: Path) -> None:
    may_end = threading.Event()

    def write_for_long(store: Store) -> None:
        write(store, "second")
        with store.writing():
            may_end.wait(20)

    async def test() -> None:
        await thread.run(write, "first")
        writing = asyncio.create_task(thread.run(write_for_long))
        while set(await thread.read(states)) != {"first", "second"}:
            assert not writing.done()
        may_end.set()
        await writing

    thread = StoreThread(tmp_path / "outwarden.db")
    thread.open()
    try:
        asyncio.run(asyncio.wait_for(test(), 20))
    finally:
        may_end.set()
        thread.close()
