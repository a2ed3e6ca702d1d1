"""What an operator is told of DKIM: the keys of each selector, and the signatures of one of our own messages."""

from collections.abc import Sequence
from email.utils import getaddresses

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.dkim import DkimResult, DkimVerdict, verify_dkim
from outwarden.authentication.dkim_canonical import Message
from outwarden.authentication.dkim_keys import ADVISED_RSA_BITS, LEAST_RSA_BITS, DkimKey, MalformedKey, parse_key
from outwarden.authentication.dmarc import discover, is_aligned
from outwarden.authentication.report import Check, failed, passed, txt_line, unknown, warned


def check_dkim_keys(domain: str, selectors: Sequence[str], records: RecordSource) -> list[Check]:
    """Check the key of each selector; with none, whether there can be any key at all."""
    if selectors:
        return [check for selector in selectors for check in _check_key(f"{selector}._domainkey.{domain}", records)]
    answer = records.ask(f"_domainkey.{domain}", RecordType.TXT)
    if answer.failure is None and not answer.exists:
        # RFC 8020: below a name that does not exist nothing exists.
        return [failed("dkim-key", f"{domain} has no DKIM key: _domainkey.{domain} does not exist")]
    return [unknown("dkim-key", "no selector is known: give one with --selector, or a signed message with --message")]


def _check_key(name: str, records: RecordSource) -> list[Check]:
    answer = records.ask(name, RecordType.TXT)
    if answer.failure is not None:
        return [unknown("dkim-key", f"could not ask for {name}: {answer.failure}")]
    if not answer.values:
        return [failed("dkim-key", f"there is no key at {name}")]
    if len(answer.values) > 1:
        return [failed("dkim-key", f"{name} has {len(answer.values)} records; receivers take any of them")]
    try:
        key = parse_key(answer.values[0])
    except MalformedKey as fault:
        return [failed("dkim-key", f"the record of {name} {fault}")]
    return _judge_key(name, key, answer.values[0])


def _judge_key(name: str, key: DkimKey, text: str) -> list[Check]:
    if key.revoked:
        return [failed("dkim-key", f"the key of {name} is revoked; nothing may sign with it any more")]
    if not key.for_mail:
        return [failed("dkim-key", f"the key of {name} is not for mail: s={':'.join(key.services)}")]
    if not key.allows_hash("sha256"):
        return [failed("dkim-key", f"the key of {name} allows no SHA-256, and nothing else is believed")]
    checks = [passed("dkim-key", f"{name}: {key.kind}, {key.bits} bits"), _strength(name, key)]
    if key.testing:
        publish = txt_line(name, _without_testing(text))
        checks.append(failed("dkim-key-testing", f"{name} is marked as a test, t=y", publish))
    return checks


def _strength(name: str, key: DkimKey) -> Check:
    if key.kind == "rsa" and key.bits < LEAST_RSA_BITS:
        return failed("dkim-key-strength", f"{name} has {key.bits} bits; make a new key of {ADVISED_RSA_BITS}")
    if key.kind == "rsa" and key.bits < ADVISED_RSA_BITS:
        return warned("dkim-key-strength", f"{name} has {key.bits} bits; {ADVISED_RSA_BITS} are advised")
    return passed("dkim-key-strength", f"{name} is strong enough")


def _without_testing(text: str) -> str:
    """Return a key record without the test flag, its other flags kept."""
    kept = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        tag, _, value = part.partition("=")
        if tag.strip() != "t":
            kept.append(part)
        elif flags := [flag.strip() for flag in value.split(":") if flag.strip() != "y"]:
            kept.append("t=" + ":".join(flags))
    return "; ".join(kept)


def check_message(message: Message, records: RecordSource, at: int) -> list[Check]:
    """Check the signatures of one of our own messages, and whether one speaks for its From:."""
    verdicts = verify_dkim(message, records, at)
    if not verdicts:
        return [failed("dkim-signature", "the message is not signed")]
    return [_signature(verdict) for verdict in verdicts] + [_alignment(message, verdicts, records)]


def _signature(verdict: DkimVerdict) -> Check:
    who = f"{verdict.selector} of {verdict.domain}" if verdict.domain else "a signature"
    text = f"{who}: {verdict.because}"
    match verdict.result:
        case DkimResult.COULD_NOT_ASK:
            return unknown("dkim-signature", text)
        case DkimResult.PASS if verdict.weaknesses:
            return warned("dkim-signature", f"{text}, but {'; '.join(verdict.weaknesses)}")
        case DkimResult.PASS:
            return passed("dkim-signature", text)
        case _:
            return failed("dkim-signature", text)


def author_domain(message: Message) -> str | None:
    """Return the domain of From:, or None where there is not exactly one (RFC 9989 section 5.3.1)."""
    bodies = [field.body.decode("utf-8", "replace") for field in message.fields if field.name == "from"]
    if len(bodies) != 1 or len(bodies[0]) > 10_000:
        return None
    domains = {address.rpartition("@")[2].lower() for _, address in getaddresses(bodies) if "@" in address}
    return domains.pop() if len(domains) == 1 else None


def _alignment(message: Message, verdicts: Sequence[DkimVerdict], records: RecordSource) -> Check:
    author = author_domain(message)
    if not author:
        return failed("dmarc-alignment", "From: does not name exactly one domain")
    good = list(dict.fromkeys(verdict.domain for verdict in verdicts if verdict.result is DkimResult.PASS))
    holding = discover(author, records).holding
    strict = bool(holding and holding.record and holding.record.strict("adkim"))
    aligned = {domain: is_aligned(domain, author, strict, records) for domain in good}
    if speaker := next((domain for domain, speaks in aligned.items() if speaks), None):
        return passed("dmarc-alignment", f"{speaker} speaks for {author}")
    if None in aligned.values() or any(verdict.result is DkimResult.COULD_NOT_ASK for verdict in verdicts):
        return unknown("dmarc-alignment", f"could not ask whether a signature speaks for {author}")
    return failed("dmarc-alignment", f"no good signature speaks for {author}, the domain of From:")
