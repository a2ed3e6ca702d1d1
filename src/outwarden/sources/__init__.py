"""Outside bytes become events: log readers, refusal classes, queue readers.

Readers think (no I/O, no clock); opening files is done by ``files`` alone.
"""
