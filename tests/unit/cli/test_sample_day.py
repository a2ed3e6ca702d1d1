"""The sample day is the same for the same seed, has its properties, and its truth adds up.

The counts are checked by a reader of the tests' own, which knows the few forms of line that the
sample has: the truth of the sample must not rest on the reader that it is there to prove.
"""

import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from outwarden.cli.sample_day import AccountTruth, SampleTruth, sample_day, sample_truth

_THE_DAY = "2026-04-07"


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return list(sample_day(1))


@pytest.fixture(scope="module")
def truth() -> SampleTruth:
    return sample_truth(1)


class _Recount:
    """Joins the lines of the sample by queue ID and counts per account."""

    def __init__(self, lines: list[str]) -> None:
        self.origins: dict[str, list[str]] = defaultdict(list)
        self.login: dict[str, str] = {}
        self.from_loopback: set[str] = set()
        self.account: dict[str, str] = {}
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.waiting: dict[str, set[str]] = {}
        self._follow_the_filter(lines)
        for line in lines:
            found = re.match(r"\S+ mail1 postfix/([\w/]+)\[\d+\]: ([0-9A-F]{10,}): (.*)", line)
            if found:
                self._read(*found.groups())

    def _follow_the_filter(self, lines: list[str]) -> None:
        """Note which queue IDs the filter's answers give to mail that it has handed in again."""
        for line in lines:
            found = re.search(r": ([0-9A-F]{10,}): to=.*\[127\.0\.0\.1\]:10024.*queued as ([0-9A-F]+)\)", line)
            if found:
                self.origins[found[2]].append(found[1])

    def _read(self, program: str, queue_id: str, rest: str) -> None:
        if found := re.match(r"client=[^,]*, sasl_method=PLAIN, sasl_username=(\S+)", rest):
            self.login[queue_id] = found[1]
        elif rest == "client=localhost[127.0.0.1]":
            self.from_loopback.add(queue_id)
        elif found := re.match(r"from=<(.*)>, size=\d+, nrcpt=(\d+) \(queue active\)", rest):
            self._queued(queue_id, found[1], int(found[2]))
        elif "status=expired" in rest:
            self.counts[self.account[queue_id]]["expired"] += 1
            self.waiting[queue_id].clear()
        elif found := re.match(r"to=<([^>]*)>,.* relay=(\S+), .*status=(sent|deferred|bounced) \(", rest):
            self._attempted(queue_id, found[1], found[2], found[3])
        elif rest.startswith("sender non-delivery"):
            self.counts[self.account[queue_id]]["returned"] += 1
        elif rest == "removed":
            assert not self.waiting[queue_id], f"{queue_id} is removed while recipients wait"
            self.account.pop(queue_id, None)
            self.login.pop(queue_id, None)
            self.from_loopback.discard(queue_id)
            self.waiting.pop(queue_id, None)

    def _queued(self, queue_id: str, sender: str, recipients: int) -> None:
        if queue_id in self.account:
            return
        local, at, domain = sender.rpartition("@")
        account = self.login.get(queue_id, local + at + domain.lower() or "<>")
        # The first queue file of filtered mail is still there when the second one begins.
        first = next((first for first in self.origins[queue_id] if first in self.account), None)
        if first and queue_id in self.from_loopback:
            account = self.account[first]
        else:
            self.counts[account].update(messages=1, recipients=recipients)
        self.account[queue_id] = account
        self.waiting[queue_id] = set()

    def _attempted(self, queue_id: str, recipient: str, relay: str, status: str) -> None:
        if relay.endswith("[127.0.0.1]:10024"):
            return
        self.counts[self.account[queue_id]][status] += 1
        if status == "deferred":
            self.waiting[queue_id].add(recipient)
        else:
            self.waiting[queue_id].discard(recipient)


def _as_recounted(account: AccountTruth) -> Counter[str]:
    return +Counter(
        messages=account.messages,
        recipients=account.recipients,
        sent=account.delivered,
        deferred=account.deferred_attempts,
        bounced=sum(account.bounced.values()),
        expired=account.expired,
        returned=account.bounces_returned,
    )


def test_the_same_seed_gives_the_same_lines(lines: list[str]) -> None:
    assert list(sample_day(1)) == lines


def test_another_seed_gives_another_victim_and_another_start(truth: SampleTruth) -> None:
    other = sample_truth(2)
    assert (other.compromised, other.start) != (truth.compromised, truth.start)


def test_lines_are_whole_and_in_the_order_of_time(lines: list[str], truth: SampleTruth) -> None:
    assert len(lines) == truth.lines
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    assert all(earlier[:26] <= later[:26] for earlier, later in pairwise(lines))
    assert sum(map(len, lines)) < 40_000_000


def test_more_than_twenty_thousand_messages_on_the_day(lines: list[str]) -> None:
    handed_in = re.compile(r": (client=(?!localhost)|uid=|sender non-delivery)")
    assert sum(1 for line in lines if line.startswith(_THE_DAY) and handed_in.search(line)) > 20_000


def test_the_truth_is_what_the_lines_say(lines: list[str], truth: SampleTruth) -> None:
    counted = {account: +counts for account, counts in _Recount(lines).counts.items()}
    assert counted == {account: _as_recounted(counts) for account, counts in truth.accounts.items()}


@pytest.mark.parametrize(
    ("what", "pattern", "at_least"),
    [
        ("forwarded mail", r"orig_to=<club@choir\.example>, .*status=bounced .*unsolicited|rejected", 10),
        ("mail through the filter", r"\[127\.0\.0\.1\]:10024.*queued as", 1_000),
        ("an expired message", r"status=expired, returned to sender", 3),
        ("a web form", r"uid=33 from=<www-data>", 40),
        ("a script's name", r"X-PHP-Originating-Script: 33:contact\.php", 40),
        ("reuse of a connection", r"conn_use=", 100),
        ("a listing", r"blocked using zen\.spamhaus\.org", 500),
        ("refused logins", r"SASL (LOGIN|PLAIN) authentication failed", 100),
        ("Dovecot", r"imap-login: Login: user=<", 100),
        ("a try at one host only", r"postfix/smtp\[\d+\]: \w+: host a\.mx\S+ said: 4", 10),
        ("other programs", r" (sshd|CRON|kernel|systemd)(\[\d+\])?: ", 100),
    ],
)
def test_the_day_has_what_a_real_one_has(lines: list[str], what: str, pattern: str, at_least: int) -> None:
    search = re.compile(pattern).search
    assert sum(1 for line in lines if search(line)) >= at_least, what


def test_queue_ids_come_back(lines: list[str]) -> None:
    removed = Counter(found[1] for line in lines if (found := re.search(r": ([0-9A-F]+): removed$", line)))
    assert sum(1 for lives in removed.values() if lives > 1) >= 5


def test_the_thief_starts_and_ends_when_the_truth_says(lines: list[str], truth: SampleTruth) -> None:
    nets = {network.removesuffix("0/24") for network in truth.networks}
    by_thief = [
        datetime.fromisoformat(line.split()[0])
        for line in lines
        if f"sasl_username={truth.compromised}\n" in line
        and (found := re.search(r"client=\w+\[((?:\d+\.){3})", line))
        and found[1] in nets
    ]
    assert timedelta(0) <= by_thief[0] - truth.start < timedelta(seconds=1)
    assert by_thief[-1] == truth.end
    assert 3 <= len(truth.networks)
    assert truth.start.hour < 5


def test_the_one_back_from_holiday_was_silent_for_days(lines: list[str], truth: SampleTruth) -> None:
    person = truth.honest["back from holiday"]
    sent = Counter(line[:10] for line in lines if f"sasl_username={person}\n" in line)
    assert set(sent) == {"2026-04-02", _THE_DAY}
    assert sent[_THE_DAY] >= 55
