"""Refusals: what a remote's words mean, and what must be done about them.

``classify`` answers for one text.  ``classify_cached`` gives the same answer and remembers wordings,
because real logs repeat a wording with other addresses and ids; ``class_cached`` gives its class alone.
"""

from outwarden.sources.refusals.cache import class_cached, classify_cached
from outwarden.sources.refusals.classify import classify

__all__ = ["class_cached", "classify", "classify_cached"]
