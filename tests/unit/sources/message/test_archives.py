"""What archives say they hold."""

import gzip
import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.message.archives import MOST_MEMBERS, Holding, held_by


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "x" * 1000)
    return file.getvalue()


def tarred(*names: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 700
            archive.addfile(member, io.BytesIO(b"x" * 700))
    return file.getvalue()


NAMES = ("invoice.pdf.js", "word/vbaProject.bin", "gr\u00fcn.txt")
ARCHIVES = [
    ("zip", zipped(*NAMES), NAMES, True),
    ("zip behind a program", zipped("a")[:30] + b"MZ" * 99 + zipped(*NAMES), NAMES, True),
    ("zip without its directory", zipped(*NAMES).partition(b"PK\x01\x02")[0], NAMES, False),
    ("zip cut off at once", b"PK\x03\x04\x00", (), False),
    ("an empty zip", zipped(), (), True),
    ("tar", tarred("a/b.exe", "c"), ("a/b.exe", "c"), True),
    ("gzip with a name", b"\x1f\x8b\x08\x08\0\0\0\0\0\x03virus.exe\0\x03\0", ("virus.exe",), True),
    ("tar in gzip", gzip.compress(tarred("a/b.exe")), ("a/b.exe",), True),
    ("gzip that is broken", b"\x1f\x8b\x08\x00abc", (), True),
    ("no archive", b"%PDF-1.7", (), True),
    ("nothing", b"", (), True),
]


@pytest.mark.parametrize(
    ("content", "names", "whole"), [case[1:] for case in ARCHIVES], ids=[case[0] for case in ARCHIVES]
)
def test_names(content: bytes, names: tuple[str, ...], whole: bool) -> None:
    assert held_by(content) == Holding(names, whole)


def test_a_member_that_needs_a_password() -> None:
    archive = bytearray(zipped("invoice.exe"))
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    assert held_by(bytes(archive)) == Holding(("invoice.exe",), whole=True, encrypted=True)


def test_no_more_names_than_a_message_needs() -> None:
    assert len(held_by(zipped(*map(str, range(500)))).names) == MOST_MEMBERS


@given(
    st.binary(max_size=300),
    st.sampled_from([zipped("a", "b"), tarred("a"), gzip.compress(tarred("a"))]),
    st.floats(0, 1),
)
def test_any_bytes(noise: bytes, archive: bytes, place: float) -> None:
    at = int(place * len(archive))
    held_by(archive[:at] + noise)
    held_by(archive[:at] + noise + archive[at + len(noise) :])
