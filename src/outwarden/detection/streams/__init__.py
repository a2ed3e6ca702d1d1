"""The streams of evidence, one file each: what it sees, its points, its caps, its words.

Each offers ``STREAM``, ``points(window)`` and ``words(window)``.  Their reference for postmasters is
``docs/reference/ledger.md``.
"""
