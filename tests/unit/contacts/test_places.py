"""Places from a file that the owner supplies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from tidings.contacts.context import Source, fields_of
from tidings.contacts.places import MaxMindPlaces, UnusableGeoDatabase, places
from tidings.core.settings import Settings

WARSAW = {
    "city": {"names": {"en": "Warsaw", "pl": "Warszawa"}},
    "country": {"iso_code": "PL", "names": {"en": "Poland"}},
    "continent": {"code": "EU"},
    "location": {"time_zone": "Europe/Warsaw", "latitude": 52.2},
}
NOWHERE = {"city": "", "country": "", "continent": "", "time_zone": ""}
KNOWN: dict[str, Any] = {
    "5.172.0.0/16": WARSAW,
    "2a02:a300::/24": WARSAW,
    "8.8.8.0/24": {"country": {"iso_code": "US"}},
    "9.9.9.0/24": {"country": "US", "city": ["Zurich"], "continent": {"code": "Mars"}, "location": 7},
    "11.0.0.0/8": "somewhere",
}


def written(path: Path, known: dict[str, Any], version: int = 6) -> Path:
    writer = MMDBWriter(ip_version=version, ipv4_compatible=version == 6, database_type="GeoLite2-City")
    for network, record in known.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("geo") / "city.mmdb", KNOWN)


@pytest.mark.parametrize("ip", ["5.172.1.2", "2a02:a300::7"])
def test_an_address_leads_to_a_place(file: Path, ip: str) -> None:
    assert MaxMindPlaces(file).find(ip) == {
        "city": "Warsaw",
        "country": "PL",
        "continent": "EU",
        "time_zone": "Europe/Warsaw",
    }


def test_what_the_record_lacks_or_has_in_another_shape_is_empty(file: Path) -> None:
    finder = MaxMindPlaces(file)
    assert finder.find("8.8.8.8") == {**NOWHERE, "country": "US"}
    assert finder.find("9.9.9.9") == finder.find("11.1.1.1") == finder.find("1.1.1.1") == NOWHERE


def test_an_address_of_the_other_kind_is_nowhere(tmp_path: Path) -> None:
    finder = MaxMindPlaces(written(tmp_path / "four.mmdb", {"5.172.0.0/16": WARSAW}, version=4))
    assert finder.find("5.172.1.2")["city"] == "Warsaw"
    assert finder.find("2a02:a300::7") == NOWHERE


def test_an_event_s_address_gives_a_place_from_the_file(file: Path) -> None:
    finder = places(Settings({"GEO_DATABASE": str(file)}))
    assert fields_of({"ip": "5.172.1.2"}, {}, finder)[Source.IP]["city"] == "Warsaw"
    assert fields_of({"ip": "192.168.1.2"}, {}, finder) == {}


@pytest.mark.parametrize("values", [{}, {"GEO_DATABASE": ""}])
def test_without_a_file_nothing_is_found(values: dict[str, str]) -> None:
    assert places(Settings(values)).find("5.172.1.2") == {}


def test_a_file_that_is_missing_is_named_with_its_setting(tmp_path: Path) -> None:
    missing = tmp_path / "geo.mmdb"
    with pytest.raises(UnusableGeoDatabase, match=r"GEO_DATABASE names .*geo\.mmdb, which cannot be read: No such"):
        places(Settings({"GEO_DATABASE": str(missing)}))


@pytest.mark.parametrize("content", [b"", b"something else", b"\xab\xcd\xefMaxMind.com"])
def test_a_file_that_is_none_is_named_with_its_setting(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "geo.mmdb").write_bytes(content)
    with pytest.raises(UnusableGeoDatabase, match=r"GEO_DATABASE names .*geo\.mmdb, which is no MaxMind DB file"):
        places(Settings({"GEO_DATABASE": str(tmp_path / "geo.mmdb")}))


def test_damage_within_the_file_costs_a_place_and_not_the_event(file: Path, tmp_path: Path) -> None:
    content = file.read_bytes()
    at = content.index(b"Warsaw") - 60
    (tmp_path / "geo.mmdb").write_bytes(content[:at] + b"\xff" * 60 + content[at + 60 :])
    assert MaxMindPlaces(tmp_path / "geo.mmdb").find("5.172.1.2") == NOWHERE
