"""Who answers for an account is told once, in his language; where one cannot be reached, the next is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.unit.service.automatic.deeds import NOW, ROSA
from tests.unit.service.desk.office import ELSEWHERE, SUBSCRIBER, Killed, N, Office, World
from tests.unit.service.desk.post_office import PostOffice

from outwarden.cases.subscriber import Contact, ContactRole, Subscriber, Subscribers
from outwarden.events import AccountKind, Attempted, Outcome, Submitted
from outwarden.service.desk.bounces import NoticeBounces, hear_bounce
from outwarden.service.desk.notice_site import NoticeSite, notice_site
from outwarden.service.desk.notifying import NoticeResponder
from outwarden.service.settings import Configuration, load
from outwarden.store.database import StoreUnusable
from outwarden.store.link_tokens import LinkPurpose, token_digest
from outwarden.store.owner_notices import NoticeState, OwnerNotice
from outwarden.store.store import Store

HOME, OLD = "rosa@home.example", "rosa@old.example"
KEY = "aGVsbG8taGVsbG8taGVsbG8taGVsbG8taGVsbG8taGU"


@pytest.fixture
def post() -> Iterator[PostOffice]:
    office = PostOffice()
    yield office
    office.close()


def site_of(folder: Path, port: int, **settings: Any) -> NoticeSite:  # noqa: ANN401
    keys = folder / "keys"
    folder.mkdir(parents=True, exist_ok=True)
    keys.write_text(KEY)
    keys.chmod(0o600)
    lines = {
        "from_name": "Servizio clienti", "from_address": "notices@isp.example", "smtp": f"127.0.0.1:{port}",
        "bounce_address": "notices+{token}@isp.example", "time_zone": "Europe/Rome", **settings,
    }  # fmt: skip
    text = "".join(f"{key} = {value!r}\n" for key, value in lines.items())
    (folder / "ow.toml").write_text(f"[mark]\nkeys_file = '{keys}'\n[notices]\n{text}")
    found = notice_site(read(folder))
    assert found is not None
    return found


def read(folder: Path) -> Configuration:
    return load(folder / "ow.toml", {})


class _Runs:
    def __init__(self, office: Office) -> None:
        self.office = office

    async def run(self, deed: Any, *arguments: Any) -> None:  # noqa: ANN401
        deed(self.office.store, *arguments)


class _Full(_Runs):
    """A disk that is full twice."""

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self.full = 2

    async def run(self, deed: Any, *arguments: Any) -> None:  # noqa: ANN401
        if self.full:
            self.full -= 1
            raise StoreUnusable("the disk is full")
        await super().run(deed, *arguments)


class Desk(Office):
    """An office that sends real notices."""

    def __init__(
        self,
        folder: Path,
        post: PostOffice,
        contacts: tuple[Contact, ...],
        port: int = 0,
        **settings: Any,  # noqa: ANN401
    ) -> None:
        self.notices = site_of(folder, port or post.port, **settings)
        person = Subscriber("rosa", "Rosa Bianchi", SUBSCRIBER.accounts, contacts=contacts, language="it")
        super().__init__(folder, World(ELSEWHERE - {N.NOTIFY_OWNER}), subscribers=[person])
        self.subscribers = Subscribers([person])

    def restart(self) -> None:
        super().restart()
        self.set_up()

    def set_up(self) -> None:
        self.bounces = NoticeBounces(self.site, _Runs(self), self.notices.bounces, lambda: self.now)
        self.bounces.load(self.store)
        responder = NoticeResponder(self.notices, self.subscribers, self.path, self.bounces)
        self.also(responder)

    def states(self) -> list[tuple[str, NoticeState]]:
        return [(one.address, one.state) for one in self.store.owner_notices.of_case(self.case.id)]


def desk(folder: Path, post: PostOffice, *addresses: str, **settings: Any) -> Desk:  # noqa: ANN401
    contacts = tuple(Contact(ContactRole.OWNER, each) for each in addresses or (HOME,))
    made = Desk(folder, post, contacts, **settings)
    made.set_up()
    return made


def test_the_owner_is_told_in_italian_with_what_was_done_and_where_bounces_go(tmp_path: Path, post: PostOffice) -> None:
    office = desk(tmp_path, post, link_url="https://my.isp.example/my/{token}")
    office.theft()
    assert office.place() == "waiting: owner"
    ((sender, recipient, mail),) = post.taken
    (notice,) = office.store.owner_notices.of_case(office.case.id)
    assert office.notices.bounces is not None and office.notices.link_keys is not None
    assert (recipient, office.notices.bounces.notice(sender)) == (HOME, notice.id)
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", "it")
    assert mail["Outwarden-Notice"] == office.case.id
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "rosa@isp.example" in text and "password" in text and "04:12" in text
    token = text.partition("https://my.isp.example/my/")[2].split()[0]
    link = office.notices.link_keys.read(token, LinkPurpose.OWNER_PAGE, office.now)
    assert (link.account, link.case) == (ROSA, office.case.id)  # type: ignore[union-attr]
    with office.store.writing():
        rows = office.store._database.rows("SELECT link_digest FROM owner_notice")
    assert rows == [(token_digest(token),)]
    assert notice.queue_id == "4A1B2C0001"
    assert ("notice", HOME) in {(one.action, one.object) for one in office.store.audit.entries()}


def test_killed_at_every_step_nobody_is_told_twice(tmp_path: Path, post: PostOffice) -> None:
    whole = desk(tmp_path / "whole", post)
    whole.theft()
    steps = whole.steps
    for dies_at in range(1, steps + 1):
        post.taken.clear()
        office = desk(tmp_path / str(dies_at), post)
        office.dies_at = dies_at
        try:
            office.theft()
        except Killed:
            office.restart()
            office.work()
        assert post.recipients() == [HOME], dies_at
        assert office.place() == "waiting: owner", dies_at
        office.store.close()


def test_one_of_which_nobody_knows_is_not_sent_twice_and_that_is_said(tmp_path: Path, post: PostOffice) -> None:
    office = desk(tmp_path, post)
    post.falls_silent = True
    office.theft()
    assert post.recipients() == [HOME]
    trial = office.tries()["notify-owner"]
    assert trial.words == f"{HOME}: handed over, and its receipt is not known; it is not sent twice"
    assert '"holds":null' in trial.checklist


class _DiesThere:
    """The machine goes down when it is told of a notice that is about to be sent, or that was taken."""

    def __init__(self, *, before: bool) -> None:
        self.before = before

    def sends(self, notice: OwnerNotice) -> None:
        if self.before:
            raise Killed

    def taken(self, notice: int, queue_id: str) -> None:
        raise Killed


def dies(office: Desk, *, before: bool) -> None:
    there = _DiesThere(before=before)
    office.also(NoticeResponder(office.notices, office.subscribers, office.path, there), first=True)
    with pytest.raises(Killed):
        office.theft()
    office.restart()
    office.work()


def test_killed_before_the_first_byte_it_is_sent_after_all(tmp_path: Path, post: PostOffice) -> None:
    office = desk(tmp_path, post)
    dies(office, before=True)
    assert post.recipients() == [HOME]
    assert office.states() == [(HOME, NoticeState.TAKEN)]


def test_killed_between_the_mail_server_and_the_store_it_is_not_sent_twice(tmp_path: Path, post: PostOffice) -> None:
    office = desk(tmp_path, post)
    dies(office, before=False)
    assert office.states() == [(HOME, NoticeState.BEGUN)]
    assert "may have been sent" in office.tries()["notify-owner"].words
    office.after(minutes=2)
    assert post.recipients() == [HOME]
    assert office.states() == [(HOME, NoticeState.NOT_KNOWN)]
    assert "its receipt is not known" in office.tries()["notify-owner"].words
    assert office.place() == "waiting: owner"


def test_the_log_tells_that_one_was_taken_of_which_nobody_knew(tmp_path: Path, post: PostOffice) -> None:
    office = desk(tmp_path, post)
    dies(office, before=False)
    identity = str(post.taken[0][2]["Message-ID"]).strip("<>")
    event = Submitted(NOW, "mx", "4A1B2C0001", "<>", AccountKind.NULL, message_id=identity)
    finished(office.bounces.overhears(event))
    office.after(minutes=2)
    assert office.states() == [(HOME, NoticeState.TAKEN)]
    assert office.tries()["notify-owner"].words == f"{HOME} is told"
    finished(office.bounces.overhears(bounce("4A1B2C0001")))
    assert office.store.owner_notices.of_case(office.case.id)[0].bounced_at == office.now


def test_a_bounce_that_is_quicker_than_the_answer_waits_until_the_case_waits_for_it(
    tmp_path: Path, post: PostOffice
) -> None:
    office = desk(tmp_path, post, OLD, HOME)

    class Quick(_DiesThere):
        def taken(self, notice: int, queue_id: str) -> None:
            with Store(office.path) as store:
                hear_bounce(store, office.site, notice, "550 nobody", office.now)

    office.also(NoticeResponder(office.notices, office.subscribers, office.path, Quick(before=False)), first=True)
    office.theft()
    office.work()
    assert post.recipients() == [OLD, HOME]


def test_a_server_that_is_away_is_tried_again_with_the_same_notice(tmp_path: Path, post: PostOffice) -> None:
    away = PostOffice()
    away.close()
    office = desk(tmp_path, post, smtp=f"127.0.0.1:{away.port}")
    office.theft()
    assert office.states() == [(HOME, NoticeState.WAITS)]
    assert office.place() == "in-progress: tell"
    office.notices = site_of(tmp_path, post.port)
    office.restart()
    office.after(minutes=1)
    assert office.states() == [(HOME, NoticeState.TAKEN)]
    assert office.place() == "waiting: owner"


def test_the_next_contact_is_told_where_one_is_refused(tmp_path: Path, post: PostOffice) -> None:
    post.refuses = {OLD}
    office = desk(tmp_path, post, OLD, HOME)
    office.theft()
    assert office.states() == [(OLD, NoticeState.REFUSED), (HOME, NoticeState.TAKEN)]


def test_the_next_contact_is_told_where_a_notice_comes_back(tmp_path: Path, post: PostOffice) -> None:
    office = desk(tmp_path, post, OLD, HOME)
    office.theft()
    (first,) = office.store.owner_notices.of_case(office.case.id)
    for event in (bounce(first.queue_id), bounce(first.queue_id)):
        wanted = office.bounces.overhears(event)
        assert wanted is not None
        finished(wanted)
    office.work()
    assert post.recipients() == [OLD, HOME]
    assert office.place() == "waiting: owner"
    assert "notice-bounced" in " ".join(entry.text for entry in office.timeline())
    # The last one comes back as well: then a person is called.
    second = office.store.owner_notices.of_case(office.case.id)[-1]
    hear_bounce(office.store, office.site, second.id, "550 nobody", office.now)
    office.work()
    assert office.place() == "in-progress: by-hand"
    assert "nobody could be told" in office.store.alarms.waiting()[-1].body


def test_what_comes_to_the_notices_own_address_is_its_bounce(tmp_path: Path, post: PostOffice) -> None:
    office = desk(tmp_path, post)
    office.theft()
    sender = post.taken[0][0]
    delivered = Attempted(NOW, "mx", "77AA", "", AccountKind.ADDRESS, sender, Outcome.DELIVERED, outbound=False)
    finished(office.bounces.overhears(delivered))
    assert office.store.owner_notices.of_case(office.case.id)[0].bounced_at == NOW
    forged = Attempted(
        NOW, "mx", "77AB", "", AccountKind.ADDRESS, "notices+" + "a" * 24 + "@isp.example", Outcome.DELIVERED
    )
    assert office.bounces.overhears(forged) is None
    elsewhere = Attempted(NOW, "mx", "77AC", ROSA, AccountKind.LOGIN, "unknown@x.example", Outcome.BOUNCED)
    assert office.bounces.overhears(elsewhere) is None


def test_a_telephone_is_told_by_the_gateway_in_short_and_without_a_link(tmp_path: Path, post: PostOffice) -> None:
    asked: list[dict[str, str]] = []

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append({**body, "secret": self.headers["Authorization"]})
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    site_of(tmp_path, post.port, link_url="https://my.isp.example/{token}")
    with (tmp_path / "ow.toml").open("a") as settings:
        settings.write(f"text_messages_secret_file = '{secret}'\n[notices.text_messages]\n")
        settings.write(f"url = 'http://127.0.0.1:{server.server_port}/'\n")
        settings.write("body = { to = '{number}', text = '{text}' }\n")
    found = notice_site(read(tmp_path))
    assert found is not None
    number = "+390551234567"
    office = Desk(tmp_path / "desk", post, (Contact(ContactRole.OWNER, number, "sms"),))
    office.notices = found
    office.set_up()
    office.theft()
    server.shutdown()
    server.server_close()
    (text,) = asked
    assert (text["to"], text["secret"]) == (number, "Bearer s3cret")
    assert "https://" not in text["text"] and ROSA in text["text"]
    assert office.states() == [(number, NoticeState.TAKEN)]
    assert post.taken == []


def test_a_store_that_cannot_be_written_keeps_a_bounce_waiting(
    tmp_path: Path, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outwarden.service.desk.bounces._STORE_TRIED_AGAIN_AFTER_SECONDS", 0.0)
    office = desk(tmp_path, post)
    office.theft()
    (notice,) = office.store.owner_notices.of_case(office.case.id)
    office.bounces = NoticeBounces(office.site, _Full(office), office.notices.bounces, lambda: office.now)
    office.bounces.load(office.store)
    finished(office.bounces.overhears(bounce(notice.queue_id)))
    assert office.store.owner_notices.of_case(office.case.id)[0].bounced_at == office.now


def test_who_got_enough_today_is_told_later(tmp_path: Path, post: PostOffice) -> None:
    office = desk(tmp_path, post, to_address_a_day=1)
    office.theft()
    office.person_unblocks()
    office.after(hours=1)
    office.theft()
    assert post.recipients() == [HOME]
    assert "as many notices today as it may" in office.tries()["notify-owner"].words
    assert office.place() == "in-progress: tell"
    office.after(hours=22)
    office.after(hours=1)
    assert post.recipients() == [HOME, HOME]


def test_the_mailbox_that_the_thief_reads_is_no_contact(tmp_path: Path, post: PostOffice) -> None:
    office = desk(tmp_path, post, ROSA)
    office.theft()
    assert post.taken == []
    assert len(office.calls()) == 1


def bounce(queue_id: str) -> Attempted:
    return Attempted(
        NOW, "mx", queue_id, "", AccountKind.ADDRESS, OLD, Outcome.BOUNCED, status="5.1.1", reply="550 no such mailbox"
    )


def finished(wanted: Any) -> None:  # noqa: ANN401
    import asyncio

    async def run() -> None:
        await wanted

    asyncio.run(run())
