"""The `tidings` command itself."""

import importlib.util
import sys
from pathlib import Path

import pytest

import tidings_cli
from tidings_cli.errors import CommandFailed
from tidings_cli.local.requirements import find_template
from tidings_cli.main import main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "local" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["local", "--port", "x"],
        ["local", "--port", "70000"],
        ["local", "--wait-scale", "-1"],
        ["local", "--wait-scale", "fast"],
        ["demo", "--port", "70000"],
        ["replay", "--limit", "0"],
        ["contact", "timeline", "--user-id", "u-1", "--limit", "0"],
        ["contact", "timeline", "--user-id", "u-1", "--limit", "all"],
    ],
)
def test_a_command_given_wrongly_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "usage: tidings" in said
    assert "invalid _" not in said


def test_without_a_command_it_lists_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "check, apply, publish and look at automations" in capsys.readouterr().err


def test_a_missing_package_is_told_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "tidings_cli.local.requirements.find_spec", lambda name: None if name == "ministack" else real(name)
    )
    assert main(["local", "--state", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "tidings local: The local system needs packages that are not installed (ministack); "
        "install them, in the checkout, with: pip install -e '.[local]'\n"
    )


def test_the_demo_tells_so_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tidings_cli.local.requirements.find_spec", lambda name: None)
    # As if importing it failed for want of those packages.
    monkeypatch.setitem(sys.modules, "tidings_cli.local.server", None)
    assert main(["demo"]) == 1
    assert "pip install -e '.[local]'" in capsys.readouterr().err


def test_the_template_is_that_of_the_checkout_which_holds_the_package() -> None:
    assert find_template(None) == Path(tidings_cli.__file__).resolve().parents[2] / "template.yaml"


def test_a_package_without_a_checkout_asks_for_a_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tidings_cli, "__file__", str(tmp_path / "site" / "tidings_cli" / "__init__.py"))
    with pytest.raises(CommandFailed, match="name one with --template FILE"):
        find_template(None)
