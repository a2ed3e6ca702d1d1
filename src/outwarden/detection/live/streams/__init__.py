"""One file for each kind of evidence: its points, and its words.

Each has ``points(scene, weights)`` and ``words(scene, weights)``; ``ledger.py`` adds them up, ``weights.toml`` has the
numbers, and ``docs/reference/streams/`` says what each sees and when it is wrong.
"""
