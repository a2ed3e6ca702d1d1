"""What Exchange writes around a remote's words, in tracking logs and in a queue's last error.

The form ``[{LED=550 5.1.1 ...};{MSG=};{FQDN=mx.example};{IP=192.0.2.1};{LRT=...}]`` is known from public
questions and answers (LED is the last error's text, LRT the last retry's time); older versions write
the bare reply.
"""

MAX_REPLY = 1_000
"""Characters kept of a reply; a remote may write what it likes."""

# Exchange's own words for a refusal that met it while the connection was being set up.
_WRAPPED = "Target host responded with error. -> "


def exchange_reply(status: str) -> str:
    """Return the remote's words out of a status, cut to ``MAX_REPLY`` characters."""
    words = status_part(status, "LED") if "{LED=" in status else status
    words = words.partition(_WRAPPED)[2] or words
    return words[:MAX_REPLY].strip()


def status_part(status: str, name: str) -> str:
    """Return what a bracketed status holds under a name; the text of a refusal may hold braces."""
    start = status.find("{" + name + "=")
    if start < 0:
        return ""
    start += len(name) + 2
    ends = [end for end in (status.find("};{", start), status.find("}]", start)) if end >= 0]
    return status[start : min(ends, default=len(status))]
