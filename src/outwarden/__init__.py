"""Outwarden: the warden of what leaves a mail server.

Start at ``docs/overview.md``; the rooms and their order stand in ``CONTRIBUTING.md``.
"""

__version__ = "0.1.0"
