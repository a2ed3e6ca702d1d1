"""What a site says about a program of its own that holds accounts."""

from __future__ import annotations

from typing import Annotated

import msgspec


class ProgramSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="program"):
    """Accounts behind a program."""

    command: Annotated[
        tuple[str, ...],
        msgspec.Meta(min_length=1, description="The program and its arguments; `{account}` and `{deed}` are put in."),
    ]
    deeds: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            description="What it can do: `lock`, `unlock`, `set-password`, `revoke-app-passwords`, `end-sessions`; "
            "`find` and `restore` it must, unless it only ends sessions."
        ),
    ] = ("lock", "unlock", "set-password")
    seconds: Annotated[
        float, msgspec.Meta(gt=0, le=600, description="After so many seconds it is ended, and tried again later.")
    ] = 30.0
