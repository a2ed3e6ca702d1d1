"""Which tool wrote this text about a queue?  It is told from the content, and read."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from outwarden.sources.queue.exchange_counters import read_exchange_counters
from outwarden.sources.queue.exchange_queue import read_exchange_csv, read_exchange_json
from outwarden.sources.queue.exim_bp import read_exim_bp, read_exim_bpc
from outwarden.sources.queue.mailq_postfix import read_mailq_postfix
from outwarden.sources.queue.mailq_sendmail import read_mailq_sendmail
from outwarden.sources.queue.postqueue_json import read_postqueue_json
from outwarden.sources.queue.reading import MalformedQueue, QueueForm, QueueReading

_LOOKED_AT = 65_536
_READERS: dict[QueueForm, Callable[[str, datetime, tzinfo], QueueReading]] = {
    QueueForm.POSTQUEUE_JSON: lambda text, now, zone: read_postqueue_json(text),
    QueueForm.MAILQ_POSTFIX: read_mailq_postfix,
    QueueForm.MAILQ_SENDMAIL: read_mailq_sendmail,
    QueueForm.EXIM_BP: lambda text, now, zone: read_exim_bp(text, now),
    QueueForm.EXIM_BPC: lambda text, now, zone: read_exim_bpc(text),
    QueueForm.EXCHANGE_COUNTERS: lambda text, now, zone: read_exchange_counters(text, zone),
}

# In this order: the first that is found in the beginning of the text decides.
_SIGNS = (
    (QueueForm.POSTQUEUE_JSON, re.compile(r'\A\s*\{[^\n]{0,2000}"queue_(?:name|id)"')),
    (QueueForm.EXCHANGE_COUNTERS, re.compile(r'\A\s*"?\(PDH-[CT]SV |"CookedValue"|^Timestamp +CounterSamples', re.M)),
    (QueueForm.MAILQ_POSTFIX, re.compile(r"^-+Queue ID-|^Mail queue is empty|^-- \d+ \w+ in \d+ Request", re.M)),
    (
        QueueForm.MAILQ_SENDMAIL,
        re.compile(r"^-+Q-ID-|^\s*/\S{1,255} (?:is empty|\(\d+ request)|^\s*Total requests: ", re.M),
    ),
    (QueueForm.EXIM_BP, re.compile(r"\A\s*\d+[mhd] +\d[\d.]*[KMG]? +[0-9A-Za-z]{6}-")),
    (QueueForm.EXIM_BPC, re.compile(r"\A\s*\d{1,11}\s*\Z")),
)
_JSON = re.compile(r"\A\ufeff?\s*[\[{]")
_CSV_HEADER = re.compile(r"(?:MessageCount|FromAddress)")


def queue_text(raw: bytes) -> str:
    """Return exported bytes as text: UTF-16 and UTF-8 by their marks, else UTF-8, broken bytes kept visible."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    return raw.decode("utf-8-sig", "backslashreplace")


def queue_form(text: str) -> QueueForm | None:
    """Return which tool wrote the text, or None where none did that we know.

    For an Exchange export it answers ``EXCHANGE_QUEUES``, whether queues or messages are in it.
    """
    beginning = text[:_LOOKED_AT]
    for form, sign in _SIGNS:
        if sign.search(beginning):
            return form
    return QueueForm.EXCHANGE_QUEUES if _CSV_HEADER.search(beginning) else None


def read_queue(text: str, now: datetime, zone: tzinfo = UTC) -> QueueReading:
    """Return what a text about a queue says, in whatever form.

    ``now`` is when it was printed, as far as is known; ``zone`` is the server's, for forms whose times
    name none.  Raises ``MalformedQueue`` where the text is of no known form or not understood at all.
    An empty text is an empty queue: that is what ``exim -bp`` and ``postqueue -j`` print for one.
    """
    if not text.strip():
        return QueueReading(QueueForm.POSTQUEUE_JSON, 0)
    form = queue_form(text)
    if form is None:
        first = next(line for line in text.split("\n") if line.strip())
        known = "postqueue -j, mailq, exim -bp, Get-Queue, counters"
        raise MalformedQueue(f"no queue listing of a form that we know ({known}); first line: {first[:60]!r}")
    if form is QueueForm.EXCHANGE_QUEUES:
        return read_exchange_json(text, zone) if _JSON.match(text) else read_exchange_csv(text, zone)
    return _READERS[form](text, now, zone)
