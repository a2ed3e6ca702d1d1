"""Kinds of trouble: each has a playbook, and a subscriber has one open case of each at most."""

from enum import StrEnum


class Trouble(StrEnum):
    """What a case is about."""

    STOLEN_ACCOUNT = "stolen-account"
    INFECTED_MACHINE = "infected-machine"
    HACKED_SITE = "hacked-site"
    HIJACKED_BULK_SENDER = "hijacked-bulk-sender"
    HIGH_COMPLAINT_RATIO = "high-complaint-ratio"
    ROGUE_DEPARTMENT = "rogue-department"
    INVENTED_RECIPIENTS = "invented-recipients"
    OWN_ADDRESS_LISTED = "own-address-listed"
    QUEUE_GROWING = "queue-growing"
    BACKSCATTER = "backscatter"
    FORGED_DOMAIN = "forged-domain"


OF_THE_SITE = frozenset({Trouble.OWN_ADDRESS_LISTED, Trouble.QUEUE_GROWING, Trouble.BACKSCATTER, Trouble.FORGED_DOMAIN})
"""The site itself answers for these; they are nobody's offence."""
