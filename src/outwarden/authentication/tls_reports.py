"""TLS reports: where senders say that encrypted delivery to us failed (RFC 8460 section 3)."""

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.report import Check, failed, passed, txt_line, unknown, warned
from outwarden.authentication.tag_lists import MalformedTags, parse_tags


def check_tls_reports(domain: str, records: RecordSource) -> Check:
    """Check the record that says where reports go."""
    name = f"_smtp._tls.{domain}"
    answer = records.ask(name, RecordType.TXT)
    publish = txt_line(name, f"v=TLSRPTv1; rua=mailto:tls-reports@{domain}")
    if answer.failure is not None:
        return unknown("tls-reports", f"could not ask for {name}: {answer.failure}")
    texts = [text for text in answer.values if text.startswith("v=TLSRPTv1")]
    if not texts:
        return warned("tls-reports", "nobody is asked to report failed encryption", publish)
    if len(texts) > 1:
        return failed("tls-reports", f"{name} has {len(texts)} records; senders then report nothing", publish)
    fault = _fault(texts[0])
    return failed("tls-reports", f"the record of {name} {fault}", publish) if fault else passed("tls-reports", texts[0])


def _fault(text: str) -> str | None:
    try:
        tags = parse_tags(text)
    except MalformedTags as fault:
        return str(fault)
    if tags.get("v") != "TLSRPTv1":
        return 'does not begin with "v=TLSRPTv1;"'
    uris = [uri.strip() for uri in tags.get("rua", "").split(",") if uri.strip()]
    if not uris:
        return 'has no "rua="'
    wrong = [uri for uri in uris if not uri.lower().startswith(("mailto:", "https://"))]
    return f'has "{wrong[0][:60]}", which is neither mailto: nor https:' if wrong else None
