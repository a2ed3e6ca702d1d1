"""What a site says about its accounts in a passwd-file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class PasswdFileSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="passwd-file"):
    """Accounts in a passwd-file."""

    file: Annotated[str, msgspec.Meta(min_length=1, description="The file; a symbolic link is refused.")]
    scheme: Annotated[
        Literal["SHA512-CRYPT", "BLF-CRYPT", "ARGON2ID"], msgspec.Meta(description="How new passwords are hashed.")
    ] = "SHA512-CRYPT"
    named_by: Annotated[
        Literal["address", "local"],
        msgspec.Meta(description="What stands in the first field: the whole address, or what is before the @."),
    ] = "address"
