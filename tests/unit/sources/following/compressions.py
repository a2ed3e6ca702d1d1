"""What logrotate may be told to compress with."""

import bz2
import gzip
import lzma
from collections.abc import Callable

import zstandard

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: zstandard.ZstdCompressor().compress(content),
}
