"""All the other lines of a mail server's log: logins, strangers at the door, other programs."""

from outwarden.cli.sample_day.clock import SECOND, clock
from outwarden.cli.sample_day.provider import HOST_NAME, OUR_ADDRESS, Client
from outwarden.cli.sample_day.roles import waking_moment
from outwarden.cli.sample_day.stage import Stage

_OTHERS = (
    "CRON[{n}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
    "sshd[{n}]: Invalid user admin from 198.51.100.{b} port 4{b:04}",
    "systemd[1]: Started Daily apt download activities.",
    "kernel: eth0: link becomes ready",
    "opendkim[812]: {n:05X}18F0A1: no signature data",
    "dovecot: lmtp({n}): Connect from local",
    "dovecot: lmtp({n}): Disconnect from local: Logged out (state=READY)",
    "postfix/scache[{n}]: statistics: start interval",
    "postfix/anvil[{n}]: statistics: max connection rate {b}/60s for (smtp:198.51.100.{b}) at Apr  7 03:00:00",
    "postfix/anvil[{n}]: statistics: max cache size {b} at Apr  7 03:00:00",
    "postfix/smtpd[{n}]: warning: hostname host{b}.grove-mail.example does not resolve to address 198.51.100.{b}",
    "postfix/smtpd[{n}]: lost connection after CONNECT from unknown[198.51.100.{b}]",
    "postfix/tlsproxy[{n}]: CONNECT from [198.51.100.{b}]:4{b:04}",
)


def logins(stage: Stage, day: int, share: float) -> None:
    """Let people read their mail from the networks they write from."""
    for person in stage.provider.people:
        for _ in range(2 if stage.chance.random() < share else 0):
            at = clock(day, 0) + waking_moment(stage, person)
            words = (
                f"imap-login: Login: user=<{person.login}>, method=PLAIN, rip={person.home.address},"
                f" lip={OUR_ADDRESS}, mpid={stage.chance.randrange(2_000, 32_000)}, TLS, session=<{at:x}>"
            )
            stage.server.write(at, "dovecot", words)


def strangers(stage: Stage, day: int, number: int) -> None:
    """Let bots knock at the door: turned away by postscreen, by a blocklist, or with a wrong password."""
    for at in stage.series(clock(day, 0), clock(day, 23, 58), number):
        network = f"198.{stage.chance.choice((18, 19))}.{stage.chance.randrange(200, 256)}"
        bot = Client("unknown", f"{network}.{stage.chance.randrange(1, 255)}")
        stage.chance.choice((_turned_away_at_the_door, _turned_away_at_rcpt, _wrong_password))(stage, at, bot)


def other_programs(stage: Stage, day: int, number: int) -> None:
    """Write lines of programs that are not our subject."""
    for at in stage.series(clock(day, 0), clock(day, 23, 59), number):
        n, b = stage.chance.randrange(2_000, 32_000), stage.chance.randrange(1, 255)
        process, _, words = stage.chance.choice(_OTHERS).format(n=n, b=b).partition(": ")
        stage.server.write(at, process, words)


def thief_reads_mail(stage: Stage, login: str, address: str, at: int) -> None:
    """The thief tries the password on IMAP first."""
    words = f"imap-login: Login: user=<{login}>, method=PLAIN, rip={address}, lip={OUR_ADDRESS}, mpid=4711, TLS"
    stage.server.write(at, "dovecot", words)


def _turned_away_at_the_door(stage: Stage, at: int, bot: Client) -> None:
    port = stage.chance.randrange(1_024, 65_000)
    process = "postfix/postscreen[1201]"
    stage.server.write(at, process, f"CONNECT from [{bot.address}]:{port} to [{OUR_ADDRESS}]:25")
    words = f"addr {bot.address} listed by domain zen.spamhaus.org as 127.0.0.4"
    stage.server.write(at + SECOND, stage.server.process("postfix/dnsblog"), words)
    stage.server.write(at + 6 * SECOND, process, f"DNSBL rank 3 for [{bot.address}]:{port}")
    stage.server.write(at + 6 * SECOND, process, f"DISCONNECT [{bot.address}]:{port}")


def _turned_away_at_rcpt(stage: Stage, at: int, bot: Client) -> None:
    process, where = stage.server.process("postfix/smtpd"), f"unknown[{bot.address}]"
    to = stage.chance.choice(stage.provider.people).sender
    stage.server.write(at, process, f"connect from {where}")
    # The helo is a bot's own words and looks like a result of ours.
    words = (
        f"NOQUEUE: reject: RCPT from {where}: 554 5.7.1 Service unavailable; Client host [{bot.address}] blocked using"
        f" zen.spamhaus.org; https://www.spamhaus.org/query/ip/{bot.address}; from=<{to}> to=<{to}> proto=ESMTP"
        f" helo=<{stage.chance.choice((HOST_NAME, 'status=bounced', f'[{bot.address}]'))}>"
    )
    stage.server.write(at + SECOND, process, words)
    stage.server.write(at + SECOND, process, f"disconnect from {where} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")


def _wrong_password(stage: Stage, at: int, bot: Client) -> None:
    process, where = stage.server.process("postfix/submission/smtpd"), f"unknown[{bot.address}]"
    stage.server.write(at, process, f"connect from {where}")
    words = f"warning: {where}: SASL LOGIN authentication failed: UGFzc3dvcmQ6"
    stage.server.write(at + SECOND, process, words)
    stage.server.write(at + 2 * SECOND, process, f"disconnect from {where} ehlo=1 auth=0/1 quit=1 commands=2/3")
