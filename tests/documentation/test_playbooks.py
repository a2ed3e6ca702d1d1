"""The page of the playbooks has every key, event, condition, response, state, step and way out, as they are."""

import re
from pathlib import Path

import msgspec
import pytest

from outwarden.cases.conditions import Condition
from outwarden.cases.drawing import drawn
from outwarden.cases.graph import in_layers, step_words
from outwarden.cases.playbook import Playbook, State, Step, Transition, Trigger
from outwarden.cases.playbook_reading import read_playbook, shipped_playbooks
from outwarden.cases.policy import read_case_policy
from outwarden.cases.response_requests import RESPONSES
from outwarden.cases.troubles import Trouble
from outwarden.service.desk.subscribers_file import COLUMNS, read_subscribers

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reference" / "playbooks.md").read_text(encoding="utf-8")
CASES = (DOCS / "reference" / "cases.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def first_cells(section: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", SECTIONS[section], re.MULTILINE)


def way_words(way: Transition) -> str:
    guard = f" ({way.guard})" if way.guard else ""
    return f"{way.label}{guard} -> `{way.to}`" + (f", marks {way.mark.value}" if way.mark else "")


def row(playbook: Playbook, name: str) -> str:
    state = playbook.states[name]
    steps = "<br>".join(map(step_words, state.steps)) or "-"
    return f"| `{name}` | {state.case.value} | {steps} | {'<br>'.join(map(way_words, state.transitions)) or '-'} |"


@pytest.mark.parametrize("trouble", Trouble)
def test_every_state_step_and_way_has_its_row(trouble: Trouble) -> None:
    playbook = shipped_playbooks()[trouble]
    rows = [line for line in SECTIONS[trouble.value].splitlines() if line.startswith("| `")]
    assert rows == [row(playbook, name) for name in in_layers(playbook)]
    assert playbook.about in SECTIONS[trouble.value]
    assert f"From every state: {'<br>'.join(map(way_words, playbook.everywhere))}." in SECTIONS[trouble.value]


def test_every_event_condition_and_response_has_its_row() -> None:
    assert first_cells("Events") == [one.value for one in Trigger]
    assert first_cells("Conditions") == [one.value for one in Condition]
    responses = re.findall(
        r"^\| `([a-z-]+)` \| (.+?) \| (.+?) \| (.+?) \| (yes|no) \| (yes|no) \| (.+?) \|$", PAGE, re.MULTILINE
    )
    assert responses == [
        (
            one.name.value,
            one.words,
            one.about.value if one.about else "the case",
            f"{one.reaches.value} contact" if one.reaches else "-",
            "yes" if one.lasts else "no",
            "yes" if one.exists else "no",
            f"`{one.undo.value}`" if one.undo else "-",
        )
        for one in RESPONSES.values()
    ]


def test_every_key_is_explained() -> None:
    keys = {field.encode_name for kind in (Playbook, State, Step, Transition) for field in msgspec.structs.fields(kind)}
    named = set(re.findall(r"`([a-z_]+)`", SECTIONS["The keys"]))
    # These three are shown as the tables that they are.
    assert keys - named == {"states", "steps", "transitions", "everywhere"}


def test_the_picture_is_of_the_playbook_as_it_is() -> None:
    picture = (DOCS / "figures" / "playbook-stolen-account.svg").read_text(encoding="utf-8")
    assert picture == drawn(shipped_playbooks()[Trouble.STOLEN_ACCOUNT])


def test_the_examples_can_be_read(tmp_path: Path) -> None:
    how_to = (DOCS / "how-to" / "write-a-playbook.md").read_text(encoding="utf-8")
    (playbook,) = re.findall(r"^```toml\n(.*?)^```", how_to, re.MULTILINE | re.DOTALL)
    assert read_playbook(playbook).begins == "tell"
    people, policy = re.findall(r"^```toml\n(.*?)^```", CASES, re.MULTILINE | re.DOTALL)
    (tmp_path / "subscribers.toml").write_text(people, encoding="utf-8")
    (bianchi,) = read_subscribers(tmp_path / "subscribers.toml")
    assert (bianchi.language, len(bianchi.contacts)) == ("it", 4)
    assert f"\n{','.join(COLUMNS)}\n" in CASES
    assert read_case_policy(policy).of_group("students").repeats.lock_from == 2


def test_every_trouble_is_named_among_the_cases() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (?:the account's|the site)", CASES, re.MULTILINE) == list(Trouble)
