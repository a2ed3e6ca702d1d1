"""The examination of a message that is handed in: what it says it is, where it leads, what it carries.

``examine`` reads one message; ``submitted`` makes of it, with its envelope, the event that detection hears of.
This package thinks: it opens no file but its own tables, asks nobody and reads no clock.
"""

from outwarden.sources.message.envelope import Envelope, is_foreign, submitted
from outwarden.sources.message.examination import examine
from outwarden.sources.message.examined import Attachment, Examined, Fault
from outwarden.sources.message.filter_headers import known_filter_headers
from outwarden.sources.message.link_services import LinkServices, services_file
from outwarden.sources.message.text_clusters import TextClusters

__all__ = [
    "Attachment",
    "Envelope",
    "Examined",
    "Fault",
    "LinkServices",
    "TextClusters",
    "examine",
    "is_foreign",
    "known_filter_headers",
    "services_file",
    "submitted",
]
