"""From an IP address to a place, by a MaxMind DB file that the owner supplies; never by asking somebody.

The format: https://maxmind.github.io/MaxMind-DB. Records are read as those of GeoLite2 City, GeoIP2 City and DB-IP's
city databases are laid out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidings.contacts import reading
from tidings.contacts.context import NOWHERE, Places
from tidings.contacts.countries import CONTINENTS, country_code
from tidings.core.settings import Settings

if TYPE_CHECKING:
    from maxminddb import Reader

SETTING = "GEO_DATABASE"


class UnusableGeoDatabase(RuntimeError):
    """The file that a setting names cannot be used; the message names both."""


def places(settings: Settings) -> Places:
    """What finds places by the file that the setting GEO_DATABASE names; finds nothing if it is empty.

    Raises UnusableGeoDatabase, so that a function with a wrong setting fails at its start.
    """
    path = settings.values.get(SETTING, "")
    return MaxMindPlaces(Path(path)) if path else NOWHERE


class MaxMindPlaces:
    """Finds places in a file, which stays open; `named_by` is who to tell of if it cannot be used."""

    def __init__(self, path: Path, named_by: str = SETTING) -> None:
        # Imported here: who has no file does not pay for it.
        from maxminddb import InvalidDatabaseError, open_database

        try:
            self._reader: Reader = open_database(path)
        except OSError as error:
            raise UnusableGeoDatabase(f"{named_by} names {path}, which cannot be read: {error.strerror}") from error
        except InvalidDatabaseError as error:
            raise UnusableGeoDatabase(f"{named_by} names {path}, which is no MaxMind DB file") from error
        # What is damaged behind a sound beginning has no place for that address: an event is worth more than its city.
        self._damage = (InvalidDatabaseError, ValueError)

    def find(self, ip: str) -> Mapping[str, str]:
        """City (in English), country (ISO 3166), continent (two letters) and time zone; empty where unknown."""
        try:
            record = self._reader.get(ip)
        except self._damage:
            record = None
        return {
            "city": reading.text(_at(record, "city", "names", "en"), reading.CITY_CHARACTERS),
            "country": country_code(reading.text(_at(record, "country", "iso_code"), 2)),
            "continent": _continent(_at(record, "continent", "code")),
            "time_zone": reading.time_zone(_at(record, "location", "time_zone")),
        }


def _at(record: Any, *path: str) -> Any:
    for key in path:
        record = reading.part(record, key)
    return record


def _continent(code: Any) -> str:
    return code if isinstance(code, str) and code in CONTINENTS else ""
