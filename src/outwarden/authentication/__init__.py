"""Email authentication: how a domain proves that mail is its own, judged as receivers judge it.

Only ``records``, ``policy_fetch``, ``mailbox_probe`` and ``certificate_probe`` reach out; everything else thinks,
and asks for DNS records through the ``RecordSource`` of ``answers``.  Nothing here changes anything: what should be
published is printed for the operator to publish.
"""
