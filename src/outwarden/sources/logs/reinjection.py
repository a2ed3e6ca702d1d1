"""When a message goes through a content filter and comes back under a new queue ID.

An after-queue filter (amavisd, a scanning proxy) takes delivery of queue file ID1 and hands the
message back to the same mail system, which queues it as ID2.  ID2's own lines show neither the
login nor the true client, so without this the login is lost and the delivery counted twice.

What proves that ID2 is ID1's message, in the order in which it is believed:

1. ID2's ``client=`` line says ``orig_queue_id=ID1`` (the filter passed on XFORWARD);
2. ID2's ``uid=`` line says ``orig_id=ID1`` (the operator requeued it);
3. ID1's delivery says ``queued as ID2`` or ``forwarded as ID2``, ID2 came from an address that may
   be a filter's or from none at all, and both have the same envelope sender.  A mailing list
   manager writes its own envelope sender, so a list's copies stay the list's.

The third proof comes after ID2's first lines, sometimes after its last; so a message that may be
a re-injected one is held back for a while before it counts as a message of its own.  On a quick
machine it comes before the queue manager has taken ID2 up; then the delivery is kept until it has.
"""

HELD_BACK_SECONDS = 60
"""How long, in the log's own time, a reader of events holds such a message back."""

HELD_BACK_MESSAGES = 1000
"""How many such messages are held back at most; the oldest is let go first."""

NEAR = ("127.", "10.", "192.168.", "172.", "::1", "fc", "fd", "fe80:")
"""How an address begins from which a filter may hand a message back: loopback, private (RFC 1918,
RFC 4193) and link-local.  172.16/12 is taken as 172.: to hold back a few too many costs nothing."""
