"""The state folder: who may use it, and what is refused."""

import json
import os
import stat
from pathlib import Path

import pytest

from tidings_cli.errors import CommandFailed
from tidings_cli.local.folder import Memory, StateFolder, read_memory, require_readable, require_version


def test_what_is_saved_is_there_at_the_next_start(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "state") as folder:
        folder.memory.workspace = "local"
        folder.memory.keys = {"secret": "sk_x"}
        folder.memory.ports["engine"] = 4567
        folder.save()
    with StateFolder(tmp_path / "state") as folder:
        assert folder.memory == Memory(workspace="local", keys={"secret": "sk_x"}, ports={"engine": 4567})


def test_keys_are_readable_by_the_owner_alone(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "state") as folder:
        folder.save()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "state.json").stat().st_mode) == 0o600


def test_a_second_use_at_the_same_time_is_refused(tmp_path: Path) -> None:
    with StateFolder(tmp_path), pytest.raises(CommandFailed, match="Another tidings local uses"):
        StateFolder(tmp_path).__enter__()
    with StateFolder(tmp_path):
        pass


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(CommandFailed, match=r"is a file; name a folder"):
        StateFolder(tmp_path / "state").__enter__()


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandFailed, match=r"cannot be written \(Not a directory\)"):
        StateFolder(tmp_path / "file" / "state").__enter__()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CommandFailed, match=r"cannot be written \(Permission denied\)"):
        StateFolder(tmp_path / "state").__enter__()


@pytest.mark.parametrize("text", ["{", "", "\x00"])
def test_a_broken_file_is_refused_and_the_lock_let_go(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    for _ in range(2):
        with pytest.raises(CommandFailed, match=r"state.json cannot be read .*; remove"):
            StateFolder(tmp_path).__enter__()


@pytest.mark.parametrize("stored", [{"format": 2}, {"workspace": "local"}, [], "text"])
def test_a_file_of_another_version_is_refused(tmp_path: Path, stored: object) -> None:
    (tmp_path / "state.json").write_text(json.dumps(stored))
    with pytest.raises(CommandFailed, match="written by another version of Tidings"):
        read_memory(tmp_path)


def test_damaged_engine_data_is_refused_since_the_engine_would_start_empty(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "dynamodb.json").write_text('{"payload": {')
    with pytest.raises(CommandFailed, match=r"dynamodb.json is damaged .*; remove"):
        require_readable(tmp_path)


@pytest.mark.parametrize(
    ("wrote", "installed", "refused"),
    [("", "1.5.33", False), ("1.5.33", "1.5.33", False), ("1.5.9", "1.5.33", False), ("1.6.0", "1.5.33", True)],
)
def test_data_of_a_newer_engine_is_refused(tmp_path: Path, wrote: str, installed: str, refused: bool) -> None:
    if refused:
        with pytest.raises(CommandFailed, match="newer than the installed"):
            require_version(Memory(engine=wrote), installed, tmp_path)
    else:
        require_version(Memory(engine=wrote), installed, tmp_path)
