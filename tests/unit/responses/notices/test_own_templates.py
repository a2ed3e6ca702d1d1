"""A site's own templates: what they change, and each mistake with its file, its line and what would do."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from outwarden.cli.main import root
from outwarden.responses.notices.texts import UnusableTemplates, load_templates
from outwarden.service.notice_texts import KINDS, previews

GOOD = (
    "Subject: Hello {{ account }}\nText message: Ask, {{ reference }}.\n\nHello.\n\n1. Ask.\n\n{% include 'answer' %}\n"
)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_an_own_template_is_used_and_the_others_stay(tmp_path: Path) -> None:
    write(tmp_path, "it/given-back.txt", GOOD)
    write(tmp_path, "it/words.toml", 'thousands = "\'"\n[period]\nhour = "ogni ora"\n')
    back, limit = previews(("given-back", "limit-reached"), "it", tmp_path)
    assert back.subject == "Hello rosa@isp.example"
    assert "500 destinatari ogni ora" in limit.text
    assert previews(KINDS, "de", tmp_path) == previews(KINDS, "de", None)


def test_a_program_can_see_the_faults_and_a_good_folder(tmp_path: Path) -> None:
    write(tmp_path, "it/given-back.txt", GOOD)
    answer = CliRunner().invoke(root, ["notice", "check", str(tmp_path)])
    assert (answer.exit_code, answer.output) == (
        0, f"{tmp_path}: all templates can be used, in every kind of notice\n",
    )  # fmt: skip
    write(tmp_path, "it/given-back.txt", GOOD.replace("account", "acount"))
    answer = CliRunner().invoke(root, ["notice", "check", str(tmp_path)])
    assert (answer.exit_code, answer.output) == (
        1, f"{tmp_path}/it/given-back.txt:1: unknown variable 'acount'; did you mean 'account'?\n",
    )  # fmt: skip
    answer = CliRunner().invoke(root, ["notice", "preview", "given-back", "--templates", str(tmp_path)])
    assert (answer.exit_code, answer.output.startswith("outwarden: ")) == (1, True)


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("it/stolen-acount.txt", GOOD, 0, "no template has this name; did you mean 'it/stolen-account.txt'?"),
        ("pt/given-back.txt", GOOD, 0, "no template has this name"),
        ("de/given-back.txt", GOOD + "\n{{ pasword_page }}\n", 10, "unknown variable 'pasword_page'; did you mean"),
        ("de/given-back.txt", GOOD + "{% if account %}\n", 9, "Unexpected end of template"),
        ("de/given-back.txt", GOOD + "{{ account|shout }}\n", 9, "No filter named 'shout'"),
        ("de/given-back.txt", GOOD.replace("'answer'", "'anser'"), 8, "includes 'anser', which is no part; did"),
        ("de/given-back.txt", "Hello {{ reference }}\n", 0, "it begins with a line Subject:"),
        ("de/given-back.txt", "Subject: A\nText message: B\n", 0, "it says nothing below"),
        ("de/given-back.txt", "Subject: A\nText message: B\n\nHello.\n", 0, "does not name {{ reference }}"),
        ("de/given-back.txt", GOOD.replace("Hello {{", "x" * 200 + "{{"), 0, "a subject has 150 letters at most"),
        ("de/given-back.txt", GOOD.replace("Ask, {{", "{{ link }} {{"), 0, "not in the subject or the text message"),
        ("de/given-back.txt", GOOD + "\n{{ account.owner }}\n", 10, "'str object' has no attribute 'owner'"),
        ("de/given-back.txt", GOOD + "\n{{ account.__class__.__mro__ }}\n", 10, "access to attribute '__class__'"),
        ("de/given-back.txt", GOOD + "\n{{ 1 // 0 }}\n", 10, "by zero"),
        ("de/answer.txt", "{% include 'answer' %}", 1, "includes itself"),
        ("de/answer.txt", "{% include 'given-back' %}", 1, "includes 'given-back', which is no part"),
        ("de/words.toml", "months = 3\n", 0, "Expected `array`, got `int` - at `$.months`"),
        ("de/words.toml", "[done]\nmail-hold = 'x'\n", 0, "mail-hold"),
        ("de/words.toml", "date = '{day} {0.__class__}'\n", 0, "date takes {day}, {month}, {year} and {time} only"),
        ("de/words.toml", "= 3\n", 0, "line 1"),
        ("frame.html", "<html>{{ titel }}</html>", 1, "'titel' is undefined"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(tmp_path: Path, name: str, text: str, line: int, words: str) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(UnusableTemplates) as raised:
        load_templates(tmp_path)
    first = raised.value.faults[0]
    assert (first.file, first.line) == (str(path), line), first
    assert words in first.what


def test_what_is_no_text_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UnusableTemplates, match="nowhere: no such folder"):
        load_templates(tmp_path / "nowhere")
    write(tmp_path, "it/given-back.txt", "").write_bytes(b"\xff\xfe")
    with pytest.raises(UnusableTemplates, match=r"given-back\.txt: not UTF-8 text"):
        load_templates(tmp_path)


def test_a_preview_is_shown_and_written(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    arguments = [
        "notice",
        "preview",
        "stolen-account",
        "--language",
        "it",
        "--zone",
        "Europe/Rome",
        "--html",
        str(page),
    ]
    answer = CliRunner().invoke(root, arguments)
    assert answer.exit_code == 0
    assert answer.output.startswith("Subject: Il Suo account di posta rosa@isp.example")
    assert '<html lang="it">' in page.read_text(encoding="utf-8")
    answer = CliRunner().invoke(root, ["notice", "preview", "given-back", "--zone", "Rome"])
    assert (answer.exit_code, answer.output) == (
        2, "outwarden: --zone: no time zone is called 'Rome'; write one like Europe/Rome\n",
    )  # fmt: skip


def test_the_command_knows_every_kind() -> None:
    answer = CliRunner().invoke(root, ["notice", "list"])
    assert tuple(line.split()[0] for line in answer.output.splitlines()) == KINDS
