"""What a site says about an HTTP interface that holds its accounts: which request does what, and where answers lie.

In the texts of a request ``{account}``, ``{local}`` and ``{domain}`` are put in, in those for one thing of a list
``{item}``, and in the body of ``set_password`` the new ``{password}``.  Where something stands in an answer is a JSON
Pointer (RFC 6901), such as ``/data/0/email``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Scalar = bool | int | float | str


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class Request(_Table, frozen=True, kw_only=True):
    """One request, and when its answer is a good one."""

    path: Annotated[str, msgspec.Meta(min_length=1, description="What follows the `url`; what is put in is escaped.")]
    method: Annotated[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], msgspec.Meta(description="The method.")] = "GET"
    query: Annotated[dict[str, str], msgspec.Meta(description="What follows the `?`.")] = {}
    form: Annotated[dict[str, str], msgspec.Meta(description="The body, as a form.")] = {}
    json: Annotated[Any, msgspec.Meta(description="The body, as JSON.")] = None
    success: Annotated[tuple[int, ...], msgspec.Meta(description="The statuses that say that it was done.")] = (
        200,
        201,
        202,
        204,
    )
    expect: Annotated[
        dict[str, Scalar],
        msgspec.Meta(description="What has to stand in the answer, by pointer; else it was not done."),
    ] = {}
    fault: Annotated[
        str, msgspec.Meta(description="The pointer to what went wrong: where something stands there, it was not done.")
    ] = ""


class FindRequest(Request, frozen=True, kw_only=True):
    """The request that looks an account up."""

    absent: Annotated[
        tuple[int, ...], msgspec.Meta(description="The statuses that say that there is no such account.")
    ] = (404,)
    rows: Annotated[
        str,
        msgspec.Meta(description="The pointer to a list (or table) that the account is one row of; empty for none."),
    ] = ""
    row: Annotated[dict[str, str], msgspec.Meta(description="What stands in that row, by pointer inside of it.")] = {}
    exists: Annotated[str, msgspec.Meta(description="The pointer that an account has something at.")] = ""
    locked: Annotated[str, msgspec.Meta(description="The pointer to whether it may log in.")] = ""
    locked_values: Annotated[tuple[Scalar, ...], msgspec.Meta(description="What stands there where it may not.")] = (
        True,
    )
    changed_at: Annotated[str, msgspec.Meta(description="The pointer to when its password changed last, RFC 3339.")] = (
        ""
    )
    contacts: Annotated[tuple[str, ...], msgspec.Meta(description="Pointers to other ways to its owner.")] = ()


class ListRequest(Request, frozen=True, kw_only=True):
    """The request that lists things of an account: its app passwords, its rules."""

    rows: Annotated[str, msgspec.Meta(description="The pointer to the list; empty where the answer is the list.")] = ""
    row: Annotated[dict[str, str], msgspec.Meta(description="What stands in the account's own rows, by pointer.")] = {}
    key: Annotated[str, msgspec.Meta(description="The pointer in a row to what `{item}` is.")] = "/id"
    words: Annotated[tuple[str, ...], msgspec.Meta(description="Pointers in a row to what is shown of it.")] = ()
    active: Annotated[str, msgspec.Meta(description="The pointer in a row to whether it works; empty: each does.")] = ""
    active_values: Annotated[tuple[Scalar, ...], msgspec.Meta(description="What stands there where it works.")] = (
        True,
    )
    changed_at: Annotated[str, msgspec.Meta(description="The pointer in a row to when it changed, RFC 3339.")] = ""


class TokenSettings(_Table, frozen=True, kw_only=True):
    """How a token is had that the requests carry: by RFC 6749 section 4.4, or by RFC 7523."""

    url: Annotated[str, msgspec.Meta(min_length=1, description="Where tokens are given, https.")]
    by: Annotated[
        Literal["client-credentials", "service-account"],
        msgspec.Meta(
            description="`client-credentials`: the secret is the client's; `service-account`: it is a JSON file with "
            "`client_email` and `private_key`."
        ),
    ] = "client-credentials"
    client: Annotated[str, msgspec.Meta(description="The client's id.")] = ""
    scope: Annotated[str, msgspec.Meta(description="What the token is to be good for.")] = ""
    subject: Annotated[
        str, msgspec.Meta(description="On whose behalf a service account acts; `{account}` for the account itself.")
    ] = ""


class HttpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="http", kw_only=True):
    """Accounts behind an HTTP interface."""

    url: Annotated[
        str,
        msgspec.Meta(min_length=1, description="Where all paths begin; https, or http where it is on this machine."),
    ]
    find: Annotated[FindRequest, msgspec.Meta(description="Looks an account up.")]
    headers: Annotated[
        dict[str, str], msgspec.Meta(description="Header fields of each request; `{secret}` is put in.")
    ] = {}
    login: Annotated[
        str, msgspec.Meta(description="The name for HTTP's own login (Basic), with the secret as its password.")
    ] = ""
    secret_file: Annotated[str, msgspec.Meta(description="The file of the secret; empty for none.")] = ""
    token: Annotated[TokenSettings | None, msgspec.Meta(description="How a token is had, where one is wanted.")] = None
    ca_file: Annotated[
        str, msgspec.Meta(description="Who vouches for the server's certificate; empty for the system's list.")
    ] = ""
    seconds: Annotated[float, msgspec.Meta(gt=0, le=120, description="A request has so many seconds.")] = 20.0
    set_password: Annotated[Request | None, msgspec.Meta(description="Gives it the new `{password}`.")] = None
    lock: Annotated[Request | None, msgspec.Meta(description="Locks it.")] = None
    unlock: Annotated[Request | None, msgspec.Meta(description="Unlocks it.")] = None
    app_passwords: Annotated[ListRequest | None, msgspec.Meta(description="Lists its app passwords.")] = None
    revoke_app_password: Annotated[Request | None, msgspec.Meta(description="Ends one of them.")] = None
    restore_app_password: Annotated[
        Request | None, msgspec.Meta(description="Brings one back; without it they do not come back.")
    ] = None
    end_sessions: Annotated[Request | None, msgspec.Meta(description="Ends what is open of it.")] = None
    rules: Annotated[ListRequest | None, msgspec.Meta(description="Lists its forwards and rules.")] = None
    disable_rule: Annotated[Request | None, msgspec.Meta(description="Makes one do nothing.")] = None
    enable_rule: Annotated[Request | None, msgspec.Meta(description="Makes it do what it did.")] = None
