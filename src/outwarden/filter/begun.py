"""A decision whose first step is taken at once; it becomes a task only where that step has to wait for something.

Most verdicts need to wait for nobody, and a task for each would cost more than carrying the answer does.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

from outwarden.filter.verdicts import Verdict


def begun(decided: Awaitable[Verdict]) -> "Verdict | Begun":
    """Take the first step; return the verdict, or what is left to be done for it.  Raises what the step does."""
    steps = decided.__await__()
    try:
        return Begun(next(steps), steps)
    except StopIteration as done:
        verdict: Verdict = done.value
        return verdict


class Begun(Coroutine[Any, Any, Verdict]):
    """The rest of a decision, to be made a task: it first waits for what the first step waits for."""

    def __init__(self, waits_for: object, steps: Generator[Any, Any, Verdict]) -> None:
        self._first: list[object] = [waits_for]
        self._steps = steps

    def send(self, value: object) -> object:
        """Go on."""
        return self._first.pop() if self._first else self._steps.send(value)

    def throw(self, *error: Any) -> object:  # noqa: ANN401 - as it is declared
        """Go on with an exception where it waits."""
        self._first.clear()
        return self._steps.throw(*error)

    def close(self) -> None:
        """Give it up."""
        self._steps.close()

    def __await__(self) -> Generator[Any, Any, Verdict]:
        """Make it a task, and await that."""
        return asyncio.ensure_future(self).__await__()
