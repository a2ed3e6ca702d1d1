"""A decision is begun at once, and goes on as a task where it has to wait."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from outwarden.filter import Accept, Refuse, Verdict
from outwarden.filter.begun import Begun, begun


async def _at_once() -> Verdict:
    return Refuse("at once")


async def _after_turns() -> Verdict:
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    return Refuse("later")


async def _within_another() -> Verdict:
    verdict = begun(_after_turns())
    assert isinstance(verdict, Begun)
    return await verdict


async def _fails_late() -> Verdict:
    await asyncio.sleep(0)
    raise KeyError("late")


async def _fails_at_once() -> Verdict:
    raise KeyError("at once")


async def _interrupted() -> Verdict:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        _interruptions.append("interrupted")
        raise
    return Accept()


_interruptions: list[str] = []
Decision = Callable[[], Awaitable[Verdict]]


def test_a_verdict_that_waits_for_nothing_is_there_without_a_loop() -> None:
    assert begun(_at_once()) == Refuse("at once")


def test_what_fails_at_once_is_raised_at_once() -> None:
    with pytest.raises(KeyError, match="at once"):
        begun(_fails_at_once())


@pytest.mark.parametrize("decide", [_after_turns, _within_another])
def test_what_waits_goes_on_as_a_task(decide: Decision) -> None:
    async def story() -> None:
        decision = begun(decide())
        assert isinstance(decision, Begun)
        assert await asyncio.create_task(decision) == Refuse("later")

    asyncio.run(story())


def test_a_future_may_be_the_decision() -> None:
    async def story() -> None:
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        decision = begun(verdict)
        assert isinstance(decision, Begun)
        verdict.set_result(Accept())
        assert await asyncio.create_task(decision) == Accept()

    asyncio.run(story())


def test_what_fails_later_is_raised_by_the_task() -> None:
    async def story() -> None:
        decision = begun(_fails_late())
        assert isinstance(decision, Begun)
        with pytest.raises(KeyError, match="late"):
            await asyncio.create_task(decision)

    asyncio.run(story())


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_it_is_interrupted_where_it_waits(turns: int) -> None:
    async def story() -> None:
        decision = begun(_interrupted())
        assert isinstance(decision, Begun)
        deciding = asyncio.create_task(decision)
        for _ in range(turns):
            await asyncio.sleep(0)
        deciding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await deciding

    _interruptions.clear()
    asyncio.run(story())
    assert _interruptions == ["interrupted"]


def test_it_can_be_given_up() -> None:
    decision = begun(_after_turns())
    assert isinstance(decision, Begun)
    decision.close()
