"""Records in memory, asked through the product's own RecordSource."""

from collections.abc import Mapping, Sequence

from outwarden.authentication.answers import Answer, RecordType


class Zones:
    """Answers from a table of names; a name in ``silent`` cannot be asked for."""

    def __init__(
        self,
        table: Mapping[str, Mapping[RecordType, Sequence[str]]],
        silent: Mapping[tuple[str, RecordType], str] | None = None,
        secure: bool = False,
    ) -> None:
        self._table = {name.lower(): kinds for name, kinds in table.items()}
        self._silent = silent or {}
        self._secure = secure
        self.asked: list[tuple[str, RecordType]] = []

    def ask(self, name: str, kind: RecordType) -> Answer:
        self.asked.append((name, kind))
        if (failure := self._silent.get((name.lower(), kind))) is not None:
            return Answer(failure=failure)
        kinds = self._table.get(name.lower())
        exists = kinds is not None or any(known.endswith("." + name.lower()) for known in self._table)
        return Answer(tuple((kinds or {}).get(kind, ())), exists, self._secure)


def txt(**records: str) -> dict[str, dict[RecordType, Sequence[str]]]:
    """A table with one TXT record per name, ``_`` for a dot and ``__`` for an underscore."""
    return {
        name.replace("__", "\0").replace("_", ".").replace("\0", "_"): {RecordType.TXT: [text]}
        for name, text in records.items()
    }
