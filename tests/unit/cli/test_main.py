"""The root command: start-up, shared options, exit codes, and how a run ends."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import click
import pytest

from outwarden import __version__
from outwarden.cli.main import VERBS, root, run

ROOT = Path(__file__).resolve().parents[3]
LINES = (
    "2026-04-07T01:44:36+00:00 mx postfix/submission/smtpd[1]: 6AE6718F023: client=h.example[192.0.2.7], "
    "sasl_method=PLAIN, sasl_username=tim@isp.example\n"
    "2026-04-07T01:44:37+00:00 mx postfix/qmgr[2]: 6AE6718F023: from=<tim@isp.example>, size=9, nrcpt=1 (queue)\n"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    path.write_text(LINES)
    return path


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_start_up_imports_click_and_little_else(option: str) -> None:
    listing = (
        "import sys; sys.argv = ['outwarden', sys.argv[1]]\n"
        "from outwarden.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted(name for name in sys.modules if name.startswith('outwarden')), file=sys.stderr)\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    ours, packages = start("-c", listing, option).stderr.splitlines()
    assert ours == "outwarden outwarden.cli outwarden.cli.main"
    assert not {"msgspec", "jinja2", "xxhash", "zstandard", "rich", "zoneinfo", "subprocess"} & set(packages.split())


def test_help_names_every_verb_and_fits_a_terminal() -> None:
    shown = start("-m", "outwarden", "--help").stdout
    assert all(f"\n  {verb} " in shown for verb in VERBS)
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_version() -> None:
    assert start("-m", "outwarden", "--version").stdout == f"outwarden {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_can_be_loaded_and_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: outwarden {verb}")
    assert "--json" in shown


CODES = [
    (["--nonsense"], 2),
    (["chekc"], 2),
    (["logs"], 2),
    (["logs", "--nonsense"], 2),
    (["check", "--nonsense"], 3),
    (["--nonsense", "check"], 3),
    (["check", "--timezone", "Middle/Earth", "x"], 3),
    (["logs", "--timezone", "../../etc/passwd", "x"], 2),
    (["completion", "cmd.exe"], 2),
    (["logs", "no-such-file"], 1),
    (["check", "no-such-file"], 3),
]


@pytest.mark.parametrize(("arguments", "code"), CODES)
def test_exit_codes(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == code
    assert capsys.readouterr().err


def test_a_mistyped_verb_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    run(["chekc"])
    assert "There is no verb 'chekc'. Did you mean 'check'?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--json", "logs"], ["logs", "--json"]])
def test_shared_options_may_stand_before_and_after_the_verb(
    arguments: list[str], log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, str(log)]) == 0
    assert json.loads(capsys.readouterr().out)["accounts"][0]["account"] == "tim@isp.example"


def test_quiet_is_one_line(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", "-q", str(log)])
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "environment", "arguments"),
    [("NO_COLOR", {"NO_COLOR": "1"}, []), ("dumb", {"TERM": "dumb"}, []), ("option", {}, ["--no-color"])],
)
def test_colours_can_be_switched_off(
    name: str, environment: dict[str, str], arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with root.make_context("outwarden", [*arguments, "logs"]) as context:
        assert context.color is False


def test_colours_are_left_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with root.make_context("outwarden", ["logs"]) as context:
        assert context.color is None


def test_a_closed_pipe_is_silent(log: Path) -> None:
    log.write_text(LINES * 3000)
    command = f"{sys.executable} -m outwarden logs --events {log} | true; echo ${{PIPESTATUS[0]}}"
    done = start("-c", f"import subprocess; subprocess.run(['bash', '-c', {command!r}], check=False)")
    assert done.stderr == ""
    assert done.stdout.strip() in ("141", "0")


def test_an_interrupt_is_silent(tmp_path: Path) -> None:
    pipe = tmp_path / "mail.log"
    os.mkfifo(pipe)
    child = subprocess.Popen(
        [sys.executable, "-m", "outwarden", "logs", str(pipe)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background may have had Ctrl-C ignored, which is inherited.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    # Opening the other end returns when the child has opened its own: it waits for us to write.
    with pipe.open("w"):
        child.send_signal(signal.SIGINT)
        _, printed = child.communicate(timeout=30)
    assert (child.returncode, printed) == (130, "")


def test_a_fault_of_ours_is_no_verdict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(VERBS, "check", ("outwarden.cli.no_such_module:check", ""))
    assert run(["check"]) == 3
    assert capsys.readouterr().err == (
        "outwarden: a fault of Outwarden itself (ModuleNotFoundError); run again with -v and report what it prints\n"
    )
    run(["check", "-v"])
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_OUTWARDEN_COMPLETE" in capsys.readouterr().out


def test_completion_of_verbs_and_options() -> None:
    def complete(words: str, position: str) -> list[str]:
        done = start("-m", "outwarden", _OUTWARDEN_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=position)
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert complete("outwarden ch", "1") == ["check"]
    assert complete("outwarden", "1") == list(VERBS)
    assert {"--queue", "--html", "--json"} <= set(complete("outwarden check --", "2"))


def test_options_have_help() -> None:
    for verb in VERBS:
        command = root.get_command(click.Context(root), verb)
        assert command is not None
        assert all(option.help for option in command.params if isinstance(option, click.Option))
