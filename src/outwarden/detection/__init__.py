"""From what happened to who is to blame: records, streams of evidence, ledgers, the verdict.

A thinking room: values in, values out, and the time is always an argument.  Begin with
``verdict.py`` for the answer, ``ledger.py`` for how it is reached, and ``streams/`` for each kind of evidence.
"""
