"""Reports: the messages that mail servers, providers and strangers send to a site about its mail.

``read_report`` says what a message is, and of a bounce or a complaint what it tells.  This package thinks: it opens
nothing, asks nobody and reads no clock.
"""

from outwarden.sources.reports.kind import read_report
from outwarden.sources.reports.records import Action, Bounce, BouncedRecipient, Complaint, Kind, Original, Report

__all__ = ["Action", "Bounce", "BouncedRecipient", "Complaint", "Kind", "Original", "Report", "read_report"]
