"""The section that says what containment does, and in which order."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Step = Literal[
    "block-account",
    "reset-password",
    "lock-account",
    "revoke-app-passwords",
    "end-sessions",
    "disable-rules",
    "queue-hold",
]


class ContainmentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a stolen account is contained."""

    steps: Annotated[
        tuple[Step, ...],
        msgspec.Meta(
            min_length=1,
            description="What `outwarden account contain` does, in this order: `block-account`, `reset-password`, "
            "`lock-account`, `revoke-app-passwords`, `end-sessions`, `disable-rules`, `queue-hold`.",
        ),
    ] = ("block-account", "reset-password", "revoke-app-passwords", "end-sessions", "disable-rules", "queue-hold")
    several_places: Annotated[
        Literal["refuse", "all"],
        msgspec.Meta(
            description="An account that several `[accounts]` have is refused, or contained in `all` of them."
        ),
    ] = "refuse"
    rules: Annotated[
        Literal["list", "changed", "all"],
        msgspec.Meta(
            description="Forwards and sieve scripts are only listed, disabled where they `changed` since the theft, "
            "or `all` disabled that were not certainly there before."
        ),
    ] = "changed"
    look_back_days: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=365, description="The theft is taken to be so many days older than its case; thieves wait."
        ),
    ] = 7
    undo_days: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=365, description="So long a containment can be undone; then the hash of before is forgotten."
        ),
    ] = 30
    dovecot_config: Annotated[
        str,
        msgspec.Meta(
            description="Dovecot's file of settings, for its sessions and sieve scripts; empty for its default, "
            "`none` where its Dovecot is not to be asked."
        ),
    ] = ""
