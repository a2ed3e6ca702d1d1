"""A record as bytes: a version, then MessagePack.  What cannot be read raises, and the caller begins anew."""

from __future__ import annotations

import msgspec

from outwarden.detection.live.record import AccountRecord

VERSION = 1


class RecordError(ValueError):
    """Bytes that are no record of an account, or of a version that this program does not know."""


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading broken bytes raises: a text that is none, and nesting without end, have errors of their own."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AccountRecord)


def writable(text: str) -> str:
    """Return a text as it can be saved: what is no character is written as an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def encode_record(record: AccountRecord) -> bytes:
    """Return a record as bytes; equal records give equal bytes."""
    return bytes((VERSION,)) + _encoder.encode(record)


def decode_record(saved: bytes) -> AccountRecord:
    """Read a record back.  Raises ``RecordError``."""
    if not saved:
        raise RecordError("an empty record")
    if saved[0] != VERSION:
        raise RecordError(f"a record of version {saved[0]}; this program reads version {VERSION}")
    try:
        return _decoder.decode(memoryview(saved)[1:])
    except UNREADABLE as error:
        raise RecordError(f"a record that cannot be read: {error}") from error
