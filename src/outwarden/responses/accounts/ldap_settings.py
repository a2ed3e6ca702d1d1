"""What a site says about its accounts in a directory."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class LdapSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="ldap"):
    """Accounts in a directory."""

    url: Annotated[
        str, msgspec.Meta(min_length=1, description="`ldaps://HOST`, `ldap://HOST` (StartTLS) or `ldapi://PATH`.")
    ]
    base: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            description="The entry under which the accounts are; `{local}` and `{domain}` may stand in it.",
        ),
    ]
    filter: Annotated[
        str,
        msgspec.Meta(description="Finds one account: `{account}`, or `{local}` and `{domain}`, are put in escaped."),
    ] = "(&(objectClass=inetOrgPerson)(mail={account}))"
    bind_dn: Annotated[str, msgspec.Meta(description="Whom to bind as; empty with `ldapi://` for our own uid.")] = ""
    password_file: Annotated[str, msgspec.Meta(description="The file of the password for that; empty for none.")] = ""
    ca_file: Annotated[
        str,
        msgspec.Meta(
            description="Who vouches for the server's certificate; empty for the system's list, and on this machine "
            "for no check."
        ),
    ] = ""
    set_by: Annotated[
        Literal["operation", "attribute", "active-directory", "none"],
        msgspec.Meta(
            description="How a password is set: `operation` (RFC 3062; the directory hashes), `attribute` (we hash and "
            "write `userPassword`), `active-directory` (`unicodePwd`), `none`."
        ),
    ] = "operation"
    scheme: Annotated[
        Literal["SHA512-CRYPT", "BLF-CRYPT"],
        msgspec.Meta(description="How we hash, for `attribute`; written as `{CRYPT}`, which directories know."),
    ] = "SHA512-CRYPT"
    lock: Annotated[
        Literal["ppolicy", "active-directory", "attribute", "none"],
        msgspec.Meta(
            description="How it is locked: `ppolicy`, `active-directory` (`userAccountControl`), `attribute` "
            "(`lock_attribute`) or `none`."
        ),
    ] = "none"
    policy: Annotated[
        str, msgspec.Meta(description="The entry of the policy in force, for `ppolicy`; its `pwdLockout` must be TRUE.")
    ] = ""
    lock_attribute: Annotated[str, msgspec.Meta(description="The attribute, for `attribute`.")] = ""
    locked: Annotated[str, msgspec.Meta(description="Its value where the account may not log in.")] = "TRUE"
    unlocked: Annotated[str, msgspec.Meta(description="Its value where it may; empty for no such attribute.")] = ""
    must_change: Annotated[
        bool, msgspec.Meta(description="The owner must choose a new password at the next login (Active Directory).")
    ] = False
    app_password_attribute: Annotated[
        str, msgspec.Meta(description="The attribute whose values are app passwords; empty for none.")
    ] = ""
    contact_attributes: Annotated[
        tuple[str, ...], msgspec.Meta(description="Where the owner's other addresses and telephones stand.")
    ] = ()
