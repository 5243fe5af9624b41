"""Countries by their two letters (ISO 3166-1 alpha-2), and the continents they are counted to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

# As GeoNames and with it MaxMind's databases count them, so that a declared country and a looked-up one agree.
_COUNTRIES = {
    "AF": "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA "
    "NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW",
    "AN": "AQ BV GS HM TF",
    "AS": "AE AF AM AZ BD BH BN BT CC CN GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM "
    "PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE",
    "EU": "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME "
    "MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
    "NA": "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC "
    "TT US VC VG VI",
    "OC": "AS AU CK CX FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS",
    "SA": "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
}
CONTINENTS = frozenset(_COUNTRIES)
_CONTINENT_OF = {country: continent for continent, countries in _COUNTRIES.items() for country in countries.split()}


def continent_of(country: str) -> str:
    """The continent of a country's two letters: AF, AN, AS, EU, NA, OC or SA; empty if there is no such country."""
    return _CONTINENT_OF.get(country, "")


@lru_cache(maxsize=1024)
def country_code(text: str) -> str:
    """The two letters of a country given by any code of ISO 3166 or by its English name; empty if it is none."""
    letters = text.strip().upper()
    return letters if letters in _CONTINENT_OF else _names().get(letters.casefold(), "")


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    """Names and the codes of three letters or digits, from CLDR."""
    # Imported here, since nearly everybody writes two letters.
    from babel import Locale
    from babel.core import get_global

    names = {name.casefold(): code for code, name in Locale("en").territories.items() if code in _CONTINENT_OF}
    aliases = get_global("territory_aliases").items()
    # What has become several countries, as the Soviet Union has, names none of them.
    return names | {alias.casefold(): codes[0] for alias, codes in aliases if len(codes) == 1}
