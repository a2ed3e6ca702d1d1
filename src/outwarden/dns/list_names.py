"""The name to ask a list about a target: what stands left of the list's zone.

Addresses are reversed (RFC 5782 sections 2.1 and 2.4), domains cut to what is registered, URLs hashed
exactly as each list publishes it.  A name that holds a key is a secret: it goes to the resolver and
nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from outwarden.dns.blocklist import KEY, Blocklist, Form
from outwarden.dns.targets import Target, TargetKind, WebAddress, half_name
from outwarden.events.public_suffixes import public_suffixes

_LONGEST_NAME = 253
_URL_FORMS = frozenset({Form.ABUSIX_URL, Form.SPAMHAUS_URL, Form.SURBL_URL})
_SAME_FORM = {TargetKind.IPV4: Form.IPV4, TargetKind.IPV6: Form.IPV6}


def suffix(blocklist: Blocklist, key: str | None) -> str:
    """What follows the target's part of each name, with the site's key in its place."""
    return "." + blocklist.zone.replace(KEY, key or KEY)


def target_part(blocklist: Blocklist, target: Target, longest: int = _LONGEST_NAME) -> str | None:
    """What stands left of the zone, at most ``longest`` characters; None where the list is not for such targets."""
    form = _SAME_FORM.get(target.kind)
    if form is not None:
        return target.name if form in blocklist.asks else None
    if target.url is not None and blocklist.hosts and not _is_for(blocklist, target.url.host):
        return None
    for form in blocklist.asks:
        part = _part(form, target)
        if part is not None:
            return _shortened(part, longest)
    return None


def neighbourhood_part(target: Target) -> str | None:
    """The /64 of an IPv6 address, which some lists hold instead of the address; None for all else."""
    return half_name(target.name) if target.kind is TargetKind.IPV6 and len(target.name) > 31 else None


@lru_cache(maxsize=8192)
def registrable_domain(domain: str) -> str:
    """The domain one label below its public suffix; the domain itself where nothing can be cut."""
    return public_suffixes().privatesuffix(domain) or domain


def abusix_hash(url: WebAddress) -> str:
    """SHA-1 of host and path, without query and fragment; the path keeps its case (shorthash, diskhash)."""
    return hashlib.sha1((url.host + url.path).encode(), usedforsecurity=False).hexdigest()


def spamhaus_hash(url: WebAddress) -> str:
    """SHA-256 in base32 (RFC 4648 section 6, no padding) of host, port, and the decoded rest of the URL (HBL)."""
    port = "" if url.port is None else f":{url.port}"
    query = f"?{url.query}" if url.query else ""
    fragment = f"#{url.fragment}" if url.fragment else ""
    written = f"{url.host}{port}".encode() + unquote_to_bytes(url.path + query + fragment)
    return base64.b32encode(hashlib.sha256(written).digest()).decode("ascii").rstrip("=")


def surbl_hash(url: WebAddress) -> str:
    """MD5 of host and path (hashbl)."""
    path = url.path.removeprefix("/")
    return hashlib.md5(f"{url.host}/{path}".encode(), usedforsecurity=False).hexdigest()


_HASHES = {Form.ABUSIX_URL: abusix_hash, Form.SPAMHAUS_URL: spamhaus_hash, Form.SURBL_URL: surbl_hash}


def _part(form: Form, target: Target) -> str | None:
    """The target in this form, None where it has none."""
    if form in _URL_FORMS:
        return None if target.url is None else _HASHES[form](target.url)
    is_address = target.name.replace(".", "").isdigit() or (target.url is not None and target.url.host[:1] == "[")
    if form is Form.ADDRESS_IN_URL:
        # Lists of what stands in mail hold IPv4 only.
        return target.name if is_address and target.url is not None and target.url.host[:1] != "[" else None
    if is_address or form not in (Form.DOMAIN, Form.HOST):
        return None
    return target.name if form is Form.HOST else registrable_domain(target.name)


def _is_for(blocklist: Blocklist, host: str) -> bool:
    return any(fnmatchcase(host, pattern) for pattern in blocklist.hosts)


def _shortened(part: str, longest: int) -> str:
    """A host name that does not fit before the zone (RFC 1035 section 2.3.4) loses labels from the left."""
    while len(part) > longest and "." in part:
        part = part.partition(".")[2]
    return part
