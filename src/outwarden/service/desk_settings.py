"""The settings of cases, of who answers for accounts, and of how they are told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file."""


class SubscriberSettings(_Section, frozen=True):
    """Who answers for accounts, addresses and domains."""

    file: Annotated[
        str,
        msgspec.Meta(description="The file of subscribers, TOML or CSV; empty where none is kept."),
    ] = ""
    each_alone: Annotated[
        bool,
        msgspec.Meta(
            description="An account that stands in no subscriber's entry is a subscriber of its own; else what it "
            "does waits in the unresolved tray."
        ),
    ] = True


Mode = Literal["observe", "ask", "act"]


class CaseSettings(_Section, frozen=True):
    """What is done about cases, by whose word, and how much of it."""

    policy: Annotated[
        str, msgspec.Meta(description="The file of the policy of cases; empty for the one of the reference.")
    ] = ""
    playbooks: Annotated[
        str,
        msgspec.Meta(
            description="A folder of playbooks of your own, each in place of the shipped one for its trouble."
        ),
    ] = ""
    observed: Annotated[bool, msgspec.Meta(description="Blocks and holds that are only observed open cases, too.")] = (
        False
    )
    mode: Annotated[
        Mode,
        msgspec.Meta(
            description="What becomes of what a case asks for: `observe` only says what would be done, `ask` waits for "
            "a person, `act` does it. To call a person is always `act`."
        ),
    ] = "observe"
    modes: Annotated[
        dict[str, Mode], msgspec.Meta(description="The mode of single responses, by name, where it is another one.")
    ] = {}
    most_per_hour: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=100000,
            description="Each response is carried out so many times within an hour; beyond, a person is called.",
        ),
    ] = 30
    caps: Annotated[
        dict[str, int],
        msgspec.Meta(description="The most of single responses within an hour, by name, where it is another number."),
    ] = {}
    roles: Annotated[
        dict[str, tuple[str, ...]],
        msgspec.Meta(
            description="Who is `reader`, `desk`, `lead` or `administrator`: UNIX users, and groups as `@group`. Root "
            "is `administrator` where nobody behind it is named, whoever else may use the socket is `desk`."
        ),
    ] = {}


class NoticeSettings(_Section, frozen=True):
    """How those who answer for accounts are told."""

    from_name: Annotated[str, msgspec.Meta(description="The name that notices come from.")] = ""
    from_address: Annotated[
        str, msgspec.Meta(description="The address that notices come from; empty where none are sent.")
    ] = ""
    reply_to: Annotated[str, msgspec.Meta(description="Where replies go; empty for the address they come from.")] = ""
    organisation: Annotated[
        str, msgspec.Meta(description="Who writes, as the text says it; empty for `from_name`.")
    ] = ""
    contact: Annotated[
        str, msgspec.Meta(description="Whom to turn to, as the text says it; empty for `acting.contact`.")
    ] = ""
    password_page: Annotated[str, msgspec.Meta(description="The page where a password is changed; empty for none.")] = (
        ""
    )
    second_factor_page: Annotated[
        str, msgspec.Meta(description="The page where a second factor is turned on; empty for none.")
    ] = ""
    smtp: Annotated[str, msgspec.Meta(description="The local mail server that takes notices, HOST:PORT.")] = (
        "127.0.0.1:25"
    )
    bounce_address: Annotated[
        str,
        msgspec.Meta(
            description="Where bounces of notices come, with `{token}` in it, as `notices+{token}@isp.example`; needs "
            "`mark.keys_file`; empty for the null sender."
        ),
    ] = ""
    texts: Annotated[str, msgspec.Meta(description="A folder of texts of your own; empty for those shipped.")] = ""
    time_zone: Annotated[str, msgspec.Meta(description="The readers' time zone, as `Europe/Rome`.")] = "UTC"
    link_url: Annotated[
        str,
        msgspec.Meta(
            description="The page of the owner, with `{token}` in it; needs `mark.keys_file`; empty for no link."
        ),
    ] = ""
    text_messages: Annotated[
        dict[str, Any],
        msgspec.Meta(description="The gateway for text messages, a table as in the reference of notices."),
    ] = {}
    text_messages_secret_file: Annotated[
        str, msgspec.Meta(description="The file of the gateway's secret; empty for none.")
    ] = ""
    to_address_a_day: Annotated[
        int, msgspec.Meta(ge=0, le=100000, description="The most notices to one address within 24 hours.")
    ] = 5
    about_account_a_day: Annotated[
        int, msgspec.Meta(ge=0, le=100000, description="The most notices about one account within 24 hours.")
    ] = 8
    of_kind_about_account_a_day: Annotated[
        int,
        msgspec.Meta(ge=0, le=100000, description="The most notices of one kind about one account within 24 hours."),
    ] = 2
    altogether_an_hour: Annotated[
        int, msgspec.Meta(ge=0, le=100000, description="The most notices altogether within an hour.")
    ] = 200
