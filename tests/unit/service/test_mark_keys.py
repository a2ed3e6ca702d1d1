"""The file of the mark's keys: who may read it, and what is said where it does not do."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.service.mark_keys import mark_keys, marking, new_key
from outwarden.service.settings import ConfigurationError, load
from outwarden.sources.message.mark import Marked, MarkKeys, key_line, read_mark

AT = datetime(2026, 11, 25, tzinfo=UTC)
GOOD = key_line(b"k" * 32)


def keys_file(folder: Path, text: str = GOOD, mode: int = 0o640) -> Path:
    path = folder / "mark.keys"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def configured(folder: Path, **settings: object) -> MarkKeys | None:
    """The keys that a file of settings leads to."""
    lines = "\n".join(f'{key} = "{value}"' for key, value in settings.items())
    (folder / "outwarden.toml").write_text(f"[mark]\n{lines}\n", encoding="utf-8")
    return mark_keys(load(folder / "outwarden.toml", {"CREDENTIALS_DIRECTORY": str(folder)}))


def test_without_a_file_there_are_no_keys(tmp_path: Path) -> None:
    assert configured(tmp_path) is None


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640])
def test_a_file_for_the_owner_or_the_group(tmp_path: Path, mode: int) -> None:
    keys = configured(tmp_path, keys_file=keys_file(tmp_path, mode=mode))
    assert keys is not None


def test_a_systemd_credential(tmp_path: Path) -> None:
    keys_file(tmp_path, mode=0o444)
    assert configured(tmp_path, keys_file="mark.keys") is not None


@pytest.mark.parametrize(
    ("name", "text", "mode", "expected"),
    [
        ("for everybody", GOOD, 0o644, "is open to everybody on this machine; chmod 0640"),
        ("writable for everybody", GOOD, 0o602, "is open to everybody"),
        ("empty", "", 0o600, "is empty"),
        ("no keys in it", "# none yet", 0o600, "no key; `outwarden mark new-key` prints one"),
        ("something else", f"{GOOD}\n0123456789", 0o600, "line 2 is no key"),
    ],
)
def test_a_file_that_does_not_do(tmp_path: Path, name: str, text: str, mode: int, expected: str) -> None:
    path = keys_file(tmp_path, text, mode)
    with pytest.raises(ConfigurationError) as error:
        configured(tmp_path, keys_file=path)
    assert expected in str(error.value)
    assert str(error.value).startswith(f"{tmp_path}/outwarden.toml:2: mark.keys_file: ")
    assert GOOD not in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"mark\.keys_file: .*: No such file"):
        configured(tmp_path, keys_file=tmp_path / "none")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("feedback_id", "isp", "mark.feedback_id: 'isp' is not 5 to 15 letters"),
        ("cfbl_address", "fbl", "mark.cfbl_address: 'fbl' is no mailbox; write one like"),
    ],
)
def test_headers_that_do_not_do(tmp_path: Path, key: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        configured(tmp_path, keys_file=keys_file(tmp_path), **{key: value})


def test_headers_need_a_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"mark\.feedback_id: it needs a key; name a file of keys"):
        configured(tmp_path, feedback_id="isp-example")


def test_a_message_is_marked_and_no_two_alike() -> None:
    keys = MarkKeys.from_text(new_key())
    settings = load(None, {"OUTWARDEN__MARK__FEEDBACK_ID": "isp-example"}).settings.mark
    one, other = (dict(marking(keys, settings, "rosa@isp.example", "mx", AT)) for _ in range(2))
    assert list(one) == ["Outwarden-Mark", "Feedback-ID"]
    assert one["Outwarden-Mark"] != other["Outwarden-Mark"]
    assert read_mark(keys, one["Outwarden-Mark"]) == Marked("rosa@isp.example", "mx", AT)


def test_no_two_new_keys_are_alike() -> None:
    assert len({new_key() for _ in range(20)}) == 20
