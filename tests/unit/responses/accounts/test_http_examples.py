"""The worked examples of docs/how-to/connect-accounts.md, against shapes of the published interfaces."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.unit.responses.accounts.panel import Asked, Panel, panel

from outwarden.responses.accounts.connector import Answer, Deed
from outwarden.responses.accounts.http_api import HttpAccounts
from outwarden.responses.accounts.http_settings import HttpSettings
from outwarden.responses.accounts.secret import Secret

PAGE = Path(__file__).resolve().parents[4] / "docs/how-to/connect-accounts.md"
ROSA = "rosa@isp.example"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PASSWORD = Secret("Kmp4-x7tz-9bqd")


def example(name: str, at: Panel, prefix: str = "", file: str = "") -> HttpAccounts:
    """Return the example of a name, asking the panel instead."""
    blocks = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    (table,) = (found for block in blocks if (found := tomllib.loads(block)["accounts"].get(name)))
    table["url"] = at.url + prefix
    if "token" in table:
        table["token"]["url"] = f"{at.url}/token"
    return HttpAccounts(name, msgspec.convert(table, HttpSettings), Secret(file or "s3cret"))


def changed(*names: str) -> list[dict[str, Any]]:
    """What mailcow says of a change."""
    return [{"type": "success", "log": ["mailbox", "edit"], "msg": [name, ROSA]} for name in names]


class Mailcow:
    """Its interface: a mailbox that is not there is an empty table, and so is an empty list."""

    def __init__(self) -> None:
        self.active, self.password = 1, ""
        self.apps = {"7": 1, "9": 0}
        self.filters = {"3": 1}

    def __call__(self, asked: Asked) -> tuple[int, Any]:
        assert asked.fields["X-API-Key"] == "s3cret"
        what = asked.path.removeprefix("/api/v1/")
        if what == "get/mailbox/rosa%40isp.example":
            return 200, {"username": ROSA, "active": self.active, "active_int": self.active, "name": "Rosa"}
        if what.startswith("get/app-passwd/all/"):
            return 200, [{"id": int(key), "name": f"app {key}", "active": on} for key, on in self.apps.items()]
        if what.startswith("get/filters/"):
            return 200, [{"id": int(key), "script_desc": "spy", "active": on} for key, on in self.filters.items()]
        if what.startswith("get/"):
            return 200, {}
        return self.edit(what, asked.body["items"][0], asked.body["attr"])

    def edit(self, what: str, item: str, attributes: dict[str, str]) -> tuple[int, Any]:
        if what == "edit/mailbox" and "password" in attributes:
            if attributes["password"] != attributes["password2"]:
                return 200, [{"type": "danger", "log": [], "msg": "password_mismatch"}]
            self.password = attributes["password"]
        elif what == "edit/mailbox":
            self.active = int(attributes["active"])
        elif what == "edit/app-passwd":
            assert attributes["username"] == ROSA
            self.apps[item] = int(attributes["active"])
        else:
            self.filters[item] = int(attributes["active"])
        return 200, changed("object_modified")


def test_mailcow() -> None:
    mailcow = Mailcow()
    with panel(mailcow) as at:
        accounts = example("mailcow", at, "/api/v1")
        assert accounts.find("nobody@isp.example") is None
        before = accounts.find(ROSA)
        assert before is not None
        assert (before.locked, before.app_passwords) == (False, 1)
        assert accounts.set_password(ROSA, PASSWORD).answer is Answer.UNKNOWN
        assert mailcow.password == PASSWORD.reveal()
        assert accounts.lock(ROSA).answer is Answer.DONE
        assert mailcow.active == 2
        assert accounts.revoke_app_passwords(ROSA).answer is Answer.DONE
        assert mailcow.apps == {"7": 0, "9": 0}
        assert accounts.forwards is not None
        (rule,) = accounts.forwards.leftovers(ROSA, LONG_AGO)
        assert accounts.forwards.disable(ROSA, rule).answer is Answer.DONE
        assert mailcow.filters == {"3": 0}
        assert accounts.forwards.enable(ROSA, rule).answer is Answer.DONE
        assert accounts.restore(ROSA, before.before).answer is Answer.DONE
        assert (mailcow.active, mailcow.apps, mailcow.filters) == (1, {"7": 1, "9": 0}, {"3": 1})
        assert "password" in before.cannot_undo
        assert not any(PASSWORD.reveal() in each.path or PASSWORD.reveal() in str(each.query) for each in at.asked)


def test_what_mailcow_refuses_is_told() -> None:
    with panel(lambda asked: (200, [{"type": "danger", "log": [], "msg": "access_denied"}])) as at:
        outcome = example("mailcow", at).lock(ROSA)
    assert outcome.answer is Answer.COULD_NOT
    assert "'danger'" in outcome.words
    assert "access_denied" in outcome.words


def test_directadmin() -> None:
    def answers(asked: Asked) -> tuple[int, Any]:
        assert asked.fields["Authorization"].startswith("Basic ")
        if asked.method == "GET":
            assert asked.query == {"domain": "isp.example", "json": "yes"}
            rows = {"0": {"account": "isp", "login": "isp"}, "1": {"account": ROSA, "login": ROSA}}
            return 200, {"EMAIL_MESSAGE": "", "emails": rows | {"info": {"rows": "2"}}}
        if asked.body["passwd"] != asked.body["passwd2"] or asked.body["user"] != "rosa":
            return 200, {"error": "Unable to change", "result": "passwords do not match"}
        return 200, {"result": "", "success": "Account changed"}

    with panel(answers) as at:
        accounts = example("directadmin", at)
        assert accounts.abilities == {Deed.SET_PASSWORD}
        assert accounts.find("nobody@isp.example") is None
        assert accounts.find(ROSA) is not None
        assert accounts.set_password(ROSA, PASSWORD).answer is Answer.UNKNOWN
        refused = accounts.set_password("jan@isp.example", PASSWORD)
        assert (refused.answer, "Unable to change" in refused.words) == (Answer.COULD_NOT, True)


def test_cpanel() -> None:
    state = {"suspended": 0, "password": ""}
    forwards = ["thief@elsewhere.example"]

    def answers(asked: Asked) -> tuple[int, Any]:
        assert asked.fields["Authorization"] == "cpanel isp:s3cret"
        rows: Any = None
        function = asked.path.rpartition("/")[2]
        if function == "list_pops_with_disk":
            rows = [{"email": ROSA, "domain": "isp.example", "suspended_login": state["suspended"]}]
        elif function == "list_forwarders":
            others = [{"dest": "jan@isp.example", "forward": "jan@home.example"}]
            rows = [{"dest": ROSA, "forward": each} for each in forwards] + others
        elif function == "passwd_pop":
            state["password"] = asked.body["password"]
        elif function == "delete_forwarder":
            forwards.remove(asked.body["forwarder"])
        elif function == "add_forwarder":
            forwards.append(asked.body["fwdemail"])
        else:
            state["suspended"] = int(function == "suspend_login")
        return 200, {"status": 1, "errors": None, "messages": None, "metadata": {}, "data": rows}

    with panel(answers) as at:
        accounts = example("cpanel", at, "/execute")
        assert accounts.find("nobody@isp.example") is None
        before = accounts.find(ROSA)
        assert before is not None
        assert before.locked is False
        assert accounts.lock(ROSA).answer is Answer.DONE
        assert accounts.restore(ROSA, before.before).answer is Answer.DONE
        assert state["suspended"] == 0
        accounts.set_password(ROSA, PASSWORD)
        assert state["password"] == PASSWORD.reveal()
        assert accounts.forwards is not None
        (forward,) = accounts.forwards.leftovers(ROSA, LONG_AGO)
        assert accounts.forwards.disable(ROSA, forward).answer is Answer.DONE
        assert forwards == []
        assert accounts.forwards.enable(ROSA, forward).answer is Answer.DONE
        assert forwards == ["thief@elsewhere.example"]


def test_what_cpanel_refuses_is_told() -> None:
    refused = {"status": 0, "errors": ["You do not have the feature"], "data": None, "messages": None}
    with panel(lambda asked: (200, refused)) as at:
        outcome = example("cpanel", at).lock(ROSA)
    assert (outcome.answer, "do not have the feature" in outcome.words) == (Answer.COULD_NOT, True)


def test_graph() -> None:
    state: dict[str, Any] = {"accountEnabled": True}
    rule: dict[str, Any] = {
        "id": "AQAAA=", "displayName": "x", "isEnabled": True,
        "actions": {"forwardTo": [{"emailAddress": {"address": "thief@elsewhere.example"}}]},
    }  # fmt: skip

    def answers(asked: Asked) -> tuple[int, Any]:
        if asked.path == "/token":
            assert asked.body["grant_type"] == "client_credentials"
            assert asked.body["client_secret"] == "s3cret"
            return 200, {"token_type": "Bearer", "expires_in": 3599, "access_token": "t0ken"}
        assert asked.fields["Authorization"] == "Bearer t0ken"
        if "messageRules" in asked.path and asked.method == "PATCH":
            assert asked.path.endswith("/AQAAA%3D")
            rule.update(asked.body)
            return 200, rule
        if "messageRules" in asked.path:
            return 200, {"value": [rule]}
        if asked.path.endswith("/revokeSignInSessions"):
            return 200, {"value": True}
        if asked.method == "PATCH":
            state.update(asked.body)
            return 204, None
        if "nobody" in asked.path:
            return 404, {"error": {"code": "Request_ResourceNotFound", "message": "does not exist"}}
        return 200, {
            "id": "8afc", "accountEnabled": state["accountEnabled"], "otherMails": ["rosa@home.example"],
            "lastPasswordChangeDateTime": "2026-02-01T10:00:00Z",
        }  # fmt: skip

    with panel(answers) as at:
        accounts = example("graph", at, "/v1.0")
        assert accounts.find("nobody@isp.example") is None
        found = accounts.find(ROSA)
        assert found is not None
        assert (found.locked, found.contacts) == (False, ("rosa@home.example",))
        assert found.changed_at == datetime(2026, 2, 1, 10, tzinfo=UTC)
        assert accounts.lock(ROSA).answer is Answer.DONE
        assert accounts.set_password(ROSA, PASSWORD).answer is Answer.UNKNOWN
        assert state["passwordProfile"]["password"] == PASSWORD.reveal()
        assert accounts.end_sessions(ROSA).answer is Answer.UNKNOWN
        assert accounts.restore(ROSA, found.before).answer is Answer.DONE
        assert state["accountEnabled"]
        assert accounts.forwards is not None
        (leftover,) = accounts.forwards.leftovers(ROSA, LONG_AGO)
        assert "thief@elsewhere.example" in leftover.words
        assert accounts.forwards.disable(ROSA, leftover).answer is Answer.DONE
        assert rule["isEnabled"] is False


def test_google() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file = json.dumps({"type": "service_account", "client_email": "ow@p.example", "private_key": pem})
    state: dict[str, Any] = {"suspended": False}
    asps = {"0": "phone"}

    def answers(asked: Asked) -> tuple[int, Any]:
        if asked.path == "/token":
            assert asked.body["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            assert asked.body["assertion"].count(".") == 2
            return 200, {"access_token": "t0ken", "expires_in": 3599, "token_type": "Bearer"}
        assert asked.fields["Authorization"] == "Bearer t0ken"
        if "nobody" in asked.path:
            return 404, {"error": {"code": 404, "message": "Resource Not Found: userKey"}}
        if asked.method == "DELETE":
            asps.pop(asked.path.rpartition("/")[2])
            return 204, None
        if asked.path.endswith("/asps"):
            items = [{"codeId": int(code), "name": name, "userKey": "1"} for code, name in asps.items()]
            return 200, {"kind": "admin#directory#aspList", **({"items": items} if items else {})}
        if asked.path.endswith("/signOut"):
            return 204, None
        if asked.method == "PUT":
            state.update(asked.body)
        return 200, {
            "id": "1",
            "primaryEmail": ROSA,
            "suspended": state["suspended"],
            "recoveryEmail": "r@home.example",
        }

    with panel(answers) as at:
        accounts = example("google", at, "/admin/directory/v1", file)
        assert accounts.find("nobody@isp.example") is None
        found = accounts.find(ROSA)
        assert found is not None
        assert (found.locked, found.contacts, found.app_passwords) == (False, ("r@home.example",), 1)
        assert accounts.lock(ROSA).answer is Answer.DONE
        assert accounts.revoke_app_passwords(ROSA).answer is Answer.DONE
        assert accounts.end_sessions(ROSA).answer is Answer.UNKNOWN
        restored = accounts.restore(ROSA, found.before)
        assert (restored.answer, "1 app passwords" in restored.words) == (Answer.UNKNOWN, True)
        assert state["suspended"] is False


@pytest.mark.parametrize("name", ["mailcow", "directadmin", "cpanel", "graph", "google"])
def test_every_example_is_https_and_has_a_secret_file(name: str) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    (table,) = (found for block in blocks if (found := tomllib.loads(block)["accounts"].get(name)))
    settings = msgspec.convert(table, HttpSettings, strict=True)
    assert settings.url.startswith("https://")
    assert settings.secret_file
