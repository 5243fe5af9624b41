"""What the engine and its functions are told."""

from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from tidings.core.settings import Settings
from tidings.email.dns_gateway import NoTexts, dns_of
from tidings_cli.errors import CommandFailed
from tidings_cli.local.environment import clean, engine_environment, geo_environment


def test_nothing_of_the_user_s_own_steers_clients_or_functions() -> None:
    told = clean({"AWS_PROFILE": "work", "TABLE_EVENTS": "mine", "GEO_DATABASE": "/mine.mmdb", "HOME": "/home/ada"})
    assert set(told) == {"HOME", "NO_PROXY", "no_proxy"}


def test_functions_ask_no_resolver(tmp_path: Path) -> None:
    told = engine_environment(4566, tmp_path, None)
    assert isinstance(dns_of(Settings(told)), NoTexts)


def test_without_a_file_functions_are_told_of_none() -> None:
    assert geo_environment(None) == {}


def test_a_file_that_cannot_be_used_is_named_with_its_option(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"--geo names .*none\.mmdb, which cannot be read: No such file"):
        geo_environment(tmp_path / "none.mmdb")
    (tmp_path / "text.mmdb").write_text("text", encoding="utf-8")
    with pytest.raises(CommandFailed, match=r"--geo names .*text\.mmdb, which is no MaxMind DB file\."):
        geo_environment(tmp_path / "text.mmdb")


def test_functions_are_told_where_the_file_is_from_whatever_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_database(tmp_path / "geo.mmdb")
    monkeypatch.chdir(tmp_path)
    assert geo_environment(Path("geo.mmdb")) == {"GEO_DATABASE": str((tmp_path / "geo.mmdb").resolve())}


def write_database(path: Path) -> None:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    writer.insert_network(IPSet(["5.172.0.0/16"]), {"country": {"iso_code": "PL"}})
    writer.to_db_file(str(path))
