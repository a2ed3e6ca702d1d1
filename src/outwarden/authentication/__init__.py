"""Email authentication: how a domain proves that mail is its own, judged as receivers judge it.

Fetching is done in ``records`` and ``policy_fetch`` alone; everything else thinks, and asks for DNS
records through the ``RecordSource`` of ``answers``.  Nothing here changes anything: what should be
published is printed for the operator to publish.
"""
