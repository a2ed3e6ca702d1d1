"""A refusal's text is sorted by what must be done about it.

The order is that of ``rules.toml``: a text that only looks like a listing, a list named by name or
link, the provider's own code, words, the gist of a clause, and the enhanced status when nothing else
speaks.  The status code alone never outvotes words, because 5.7.1 is said of everything.

Promise: ``classify`` raises nothing and looks at the first 4096 characters, with expressions that take
linear time; so a text of any length costs no more than some 20 milliseconds.

What this does not do: it does not ask whether an address named as listed is ours.
"""

import re
from functools import lru_cache

import msgspec

from outwarden.events import Refusal, RefusalClass
from outwarden.sources.refusals.glossary import plain_words
from outwarden.sources.refusals.listings import Listed, listed_address, listed_domain, listed_host, lists
from outwarden.sources.refusals.providers import author, keeper
from outwarden.sources.refusals.rulebook import Rule, Stage, rulebook
from outwarden.sources.refusals.services import services
from outwarden.sources.refusals.unwrap import Reply, unwrap, words_of
from outwarden.sources.refusals.wording import wording

_LONGEST_REMEMBERED = 1500
_BLOCKLISTS = frozenset(
    {RefusalClass.ADDRESS_BLOCKLISTED, RefusalClass.DOMAIN_BLOCKLISTED, RefusalClass.URL_BLOCKLISTED}
)
_ABOUT_RECIPIENT = frozenset(
    {RefusalClass.UNKNOWN_RECIPIENT, RefusalClass.MAILBOX_FULL, RefusalClass.RECIPIENT_DISABLED}
)
_PASSING = frozenset(
    {
        RefusalClass.NETWORK,
        RefusalClass.GREYLISTED,
        RefusalClass.RATE_LIMITED,
        RefusalClass.LOCAL_ERROR,
        RefusalClass.REMOTE_ERROR,
    }
)
# What a mail server of our own gives up at once, and what it tries again, where no code says so.
_FINAL_WORDS = re.compile(
    r"\b(?:too many hops|loop|number of received|not going to try|expired|retry timeout|for a long time|died|time limit"
    r"|undeliverable|giving up"
    r"|for \d+ (?:days|hours))\b"
)
_PASSING_WORDS = re.compile(r"\b(?:deferred|temporarily|try again|warning|will retry|not reached)\b")
_ABOUT_A_LINK = re.compile(
    r"(?<!%)\b(?:url|link|website|weblink|body)\b|\bmessage contains\b"
    r"|\bcontains? (?:a |the )?(?:[^ ]+ )?domain\b|\bin (?:the |your |this )?(?:message|body|content)\b"
)
_ABOUT_A_DOMAIN = re.compile(r"\bdomain\b|\bsender address\b|\bsender @|\bhelo\b|\bfrom address\b")


class Judgement(msgspec.Struct, frozen=True):
    """What a wording means, whoever it is said of; ``skipped`` words stand before the remote's own."""

    refusal_class: RefusalClass
    permanent: bool
    list_id: str | None
    provider: str | None
    status: str | None
    skipped: int


def classify(text: str, sender_domain: str | None = None) -> Refusal:
    """Return what a refusal's text means.

    ``sender_domain`` is the domain of our envelope sender, lower-case, where it is known: a domain that a
    list of domains names is then told from that of a link in the message.
    """
    words = words_of(text)
    return refusal(text, words, judge(wording(words)), sender_domain)


def judge(worded: str) -> Judgement:
    """Return what a wording (one line, masked) means."""
    reply = unwrap(worded)
    meaning = _meaning if len(reply.words) <= _LONGEST_REMEMBERED else _meaning.__wrapped__
    provider = author(reply.words, _service_of_speaker(reply))
    said = meaning(reply.words, reply.code, reply.status, provider)
    return Judgement(*said, reply.status, reply.skipped)


@lru_cache(maxsize=4096)
def _meaning(
    said: str, code: int | None, status: str | None, provider: str | None
) -> tuple[RefusalClass, bool, str | None, str | None]:
    """Return class, permanence, list and provider of what was said, and by whose service if we know.

    Remembered apart from the wrapping, because many hosts say the same.
    """
    reply = Reply(said, None, code, status, 0)
    plain = plain_words(said)
    words = frozenset(plain.split(" "))
    refusal_class, list_id = _cause(reply, plain, words, provider)
    if provider is None and refusal_class in _ABOUT_RECIPIENT:
        provider = keeper(reply.words)
    elif provider == list_id and refusal_class in _BLOCKLISTS and lists().named_in(reply.words):
        # Who runs the list need not have written the text.
        provider = None
    return refusal_class, _permanent(reply, refusal_class, plain), list_id, provider


def _service_of_speaker(reply: Reply) -> str | None:
    return services().of(reply.speaker) if reply.speaker else None


def refusal(text: str, words: list[str], judgement: Judgement, sender_domain: str | None) -> Refusal:
    """Return a judgement as the refusal of one text; ``words`` are that text's, unmasked."""
    refusal_class = judgement.refusal_class
    of_a_list = refusal_class in _BLOCKLISTS or (refusal_class is RefusalClass.POLICY and judgement.list_id)
    listed = _listed(words, judgement) if of_a_list else None
    if refusal_class is RefusalClass.URL_BLOCKLISTED and listed and listed == sender_domain:
        refusal_class = RefusalClass.DOMAIN_BLOCKLISTED
    return Refusal(
        text=text,
        refusal_class=refusal_class,
        permanent=judgement.permanent,
        list=judgement.list_id,
        listed=listed,
        provider=judgement.provider,
        status=judgement.status,
    )


def _cause(reply: Reply, plain: str, words: frozenset[str], provider: str | None) -> tuple[RefusalClass, str | None]:
    """Return the class and the list."""
    named = lists().named_in(reply.words)
    rule = _rule(reply, plain, words, provider, named)
    if rule is None and named is not None:
        return _listing(named, reply.words, plain)
    if rule is None:
        return RefusalClass.UNCLASSIFIED, None
    if rule.refusal_class in _BLOCKLISTS:
        # A list that is not named is the provider's own.
        return rule.refusal_class, provider
    if rule.refusal_class is RefusalClass.LOCAL_ERROR and reply.code is not None:
        # What a remote calls local is its own.
        return RefusalClass.REMOTE_ERROR, None
    of_a_list = rule.refusal_class is RefusalClass.REMOTE_ERROR and named is not None
    return rule.refusal_class, named.list_id if named and of_a_list else None


def _rule(reply: Reply, plain: str, words: frozenset[str], provider: str | None, named: Listed | None) -> Rule | None:
    """Return the rule that decides; None where a list that is named does, or nothing."""
    stages: tuple[Stage, ...] = ("fault",) if named else ("fault", "code", "words", "gist", "status")
    return rulebook().first(stages, reply, plain, words, provider)


def deciding_rule(text: str) -> Rule | None:
    """Return the rule by which ``classify`` judges a text, or None where none does."""
    reply = unwrap(wording(words_of(text)))
    plain = plain_words(reply.words)
    words = frozenset(plain.split(" "))
    return _rule(reply, plain, words, author(reply.words, _service_of_speaker(reply)), lists().named_in(reply.words))


def _listing(named: Listed, written: str, plain: str) -> tuple[RefusalClass, str]:
    """Return the class and the list, where a list is named."""
    if named.lists == "country":
        return RefusalClass.POLICY, named.list_id
    if named.lists == "address" or (named.lists == "both" and _speaks_of_address(written, plain)):
        return RefusalClass.ADDRESS_BLOCKLISTED, named.list_id
    list_id = named.domain_list or named.list_id
    if _ABOUT_A_LINK.search(plain):
        return RefusalClass.URL_BLOCKLISTED, list_id
    return RefusalClass.DOMAIN_BLOCKLISTED, list_id


def _speaks_of_address(written: str, plain: str) -> bool:
    if "/query/domain/" in written:
        return False
    return "%ip" in written or not (_ABOUT_A_DOMAIN.search(plain) or _ABOUT_A_LINK.search(plain))


def _listed(words: list[str], judgement: Judgement) -> str | None:
    reply = " ".join(words[judgement.skipped :]).lower()
    if judgement.refusal_class in (RefusalClass.ADDRESS_BLOCKLISTED, RefusalClass.POLICY):
        return listed_address(reply) or listed_host(reply)
    return listed_domain(reply)


def _permanent(reply: Reply, refusal_class: RefusalClass, plain: str) -> bool:
    """Say whether the refusal is final: by the reply code, else the status, else by what our own server does."""
    if reply.code is not None:
        return reply.code >= 500
    if reply.status is not None:
        return reply.status.startswith("5")
    if _FINAL_WORDS.search(plain):
        return True
    return refusal_class not in _PASSING and not _PASSING_WORDS.search(plain)
