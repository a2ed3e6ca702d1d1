"""A change of the settings leaves a row in the audit log: which file was another one when the service began.

What is compared is what the files say, as digests; no value and no secret is written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from outwarden.service.settings import Configuration
from outwarden.store.store import Store

_ACTION = "settings"
_LETTERS = 16


def record_settings(store: Store, configuration: Configuration, now: datetime) -> int:
    """Write a row for each file that is not as it was at the last start; return how many.  Raises ``StoreUnusable``."""
    changed = 0
    with store.writing():
        for name, digest in _digests(configuration):
            before = store.audit.newest_after(_ACTION, name)
            if before != digest and (before or digest):
                store.audit.record(actor="outwarden", action=_ACTION, object=name, at=now, before=before, after=digest)
                changed += 1
    return changed


def _digests(configuration: Configuration) -> Iterator[tuple[str, str]]:
    settings = configuration.settings
    yield "configuration", _of(repr(settings).encode())
    named = {
        "subscribers.file": settings.subscribers.file,
        "cases.policy": settings.cases.policy,
        "judging.policy": settings.judging.policy,
    }
    for key, path in named.items():
        file = Path(path) if path else None
        yield key, _of(file.read_bytes()) if file is not None and file.is_file() else ""
    for key, folder in (("cases.playbooks", settings.cases.playbooks), ("notices.texts", settings.notices.texts)):
        files = sorted(each for each in Path(folder).rglob("*") if each.is_file()) if folder else []
        yield key, _of(b"".join(str(each).encode() + each.read_bytes() for each in files)) if files else ""


def _of(octets: bytes) -> str:
    return sha256(octets).hexdigest()[:_LETTERS]
