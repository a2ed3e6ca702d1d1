"""What a policy says about limits: of whom, of what, and within which time.  What it does not name has no limit."""

from __future__ import annotations

from typing import Annotated

import msgspec

_AtLeastOne = Annotated[int, msgspec.Meta(ge=1, le=2**31)]


class Most(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much of something within a minute, an hour and a day; None where it does not matter."""

    minute: _AtLeastOne | None = None
    hour: _AtLeastOne | None = None
    day: _AtLeastOne | None = None


class Quantities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is counted of each."""

    messages: Most = Most()
    recipients: Most = Most()
    new_recipients: Most = Most()
    """Recipients that the account has not written to before."""


class QuantitiesAndUnknown(Quantities, frozen=True, forbid_unknown_fields=True):
    """The same, with what comes back: an answer names an account, and no client or script."""

    unknown_recipients: Most = Most()
    """Recipients that a remote said do not exist; once there were so many, nothing more is taken."""


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of each account, domain, script and client address; of a declared bulk sender only those of ``bulk``."""

    account: QuantitiesAndUnknown = QuantitiesAndUnknown()
    domain: QuantitiesAndUnknown = QuantitiesAndUnknown()
    script: Quantities = Quantities()
    client: Quantities = Quantities()
    bulk: QuantitiesAndUnknown = QuantitiesAndUnknown()
