"""Hashes are those that others make and accept."""

import pytest

from outwarden.responses.accounts.hashes import Scheme, fits, hashed
from outwarden.responses.accounts.secret import Secret

# Made by openssl-passwd(1), which has an implementation of its own.
KNOWN = [
    (
        "SHA512-CRYPT",
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        True,
    ),
    (
        "SHA256-CRYPT, with braces",
        "Hello world!",
        "{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        True,
    ),
    ("another password", "hello world!", "$6$saltstring$svn8UoSVapNtMuq1ukKS4t", False),
    # Made by slappasswd(8).
    ("SSHA", "Hello world!", "{SSHA}+WcWX4XDChf6/KI9l+Ca7a/768E7xH26", True),
    ("SSHA of another", "hello world!", "{SSHA}+WcWX4XDChf6/KI9l+Ca7a/768E7xH26", False),
    ("SSHA without its parts", "x", "{SSHA}", False),
    ("SSHA that is no base64", "x", "{SSHA}*", None),
    ("a scheme that we do not read", "x", "{SMD5}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", None),
    ("plain text", "x", "{PLAIN}x", None),
    ("nothing", "x", "", None),
    ("not ASCII", "x", "$6$sält$x", None),
    ("argon2id without its parts", "x", "{ARGON2ID}$argon2id$v=19$", False),
]


@pytest.mark.parametrize(("name", "secret", "stored", "expected"), KNOWN, ids=[case[0] for case in KNOWN])
def test_fits(name: str, secret: str, stored: str, expected: bool | None) -> None:
    assert fits(Secret(secret), stored) is expected


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("prefix", [True, False])
def test_made(scheme: Scheme, prefix: bool) -> None:
    stored = hashed(Secret("Grüße-2026"), scheme, prefix)
    assert stored.startswith(f"{{{scheme}}}$") is prefix
    assert fits(Secret("Grüße-2026"), stored) is True
    assert fits(Secret("grüße-2026"), stored) is False
    assert hashed(Secret("Grüße-2026"), scheme, prefix) != stored
