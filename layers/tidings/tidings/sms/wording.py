"""What is answered to STOP, START, HELP and keywords, and in which language. Pure, but for tables of countries.

**The language** is the first of these in which the owner has an answer: the contact's own (its context's language),
that of the number they wrote to (which its owner says, or the country's main one), any. For STOP, START and HELP there
are ours besides, where the owner has none: in the same languages, else in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tidings.accounts.model import Workspace
from tidings.contacts import reading
from tidings.contacts.context import view
from tidings.contacts.model import Contact
from tidings.sms.model import Number, Setup
from tidings.sms.words import HELP, START, STOP, Match, best, keywords_of

ENGLISH = "en"
# Of GSM letters alone, without the accents that it lacks: each is one part, however long it would be with them.
TEXTS: Mapping[str, Mapping[str, str]] = {
    STOP: {
        "en": "you will get no more text messages from us. Answer START to get them again.",
        "pl": "nie wyslemy Ci wiecej SMS-ow. Odpisz START, aby znow je dostawac.",
        "de": "Sie erhalten keine SMS mehr von uns. Antworten Sie START, um sie wieder zu erhalten.",
        "fr": "vous ne recevrez plus de SMS de notre part. Répondez START pour en recevoir à nouveau.",
        "es": "ya no recibe SMS nuestros. Responda START para volver a recibirlos.",
    },
    START: {
        "en": "you get our text messages again. Answer STOP to end them.",
        "pl": "znow bedziesz dostawac nasze SMS-y. Odpisz STOP, aby je zakonczyc.",
        "de": "Sie erhalten unsere SMS wieder. Antworten Sie STOP, um sie zu beenden.",
        "fr": "vous recevrez à nouveau nos SMS. Répondez STOP pour ne plus en recevoir.",
        "es": "vuelve a recibir nuestros SMS. Responda STOP para no recibirlos.",
    },
    HELP: {
        "en": "answer STOP to get no more text messages from us.",
        "pl": "odpisz STOP, aby nie dostawac od nas SMS-ow.",
        "de": "antworten Sie STOP, um keine SMS mehr von uns zu erhalten.",
        "fr": "répondez STOP pour ne plus recevoir de SMS de notre part.",
        "es": "responda STOP para no recibir SMS nuestros.",
    },
}
BRAND = "{{ variables.brand }}: "


@dataclass(frozen=True, slots=True)
class Wording:
    """What is answered: a text with its language, or the name of a template."""

    text: str = ""
    template: str = ""
    language: str = ""


def answer_to(setup: Setup, found: Match, number: Number, contact: Contact) -> Wording | None:
    """What a text that means something is answered with; None for nothing."""
    spoken = tuple(language for language in (language_of(contact), language_at(number)) if language)
    ours = TEXTS.get(found.meaning)
    having = found.keywords
    if ours is not None:  # also those of the owner's that add no word
        having = tuple(one for one in keywords_of(setup) if one.meaning == found.meaning)
    own = best(having, number.number, spoken)
    if own is not None:
        return Wording(own.answer, own.template, own.language)
    if ours is None:
        return None
    language = next((one for one in spoken if one in ours), ENGLISH)
    return Wording(BRAND + ours[language], language=language)


def language_of(contact: Contact) -> str:
    """The contact's own language, such as `pl`; empty where nobody knows."""
    told = view(contact.context).get("language", {}).get("value") or contact.values.get("language")
    return reading.language(told).partition("-")[0]


def language_at(number: Number) -> str:
    """The language of who answers a number: what its owner says, else the main one of its country."""
    if number.language:
        return number.language
    from babel.core import get_global  # late: most of what comes in asks for no answer

    spoken = get_global("territory_languages").get(number.country) or {}
    # Official ones first, then by how many people of the country speak it.
    ranked = sorted(
        spoken, key=lambda one: (spoken[one]["official_status"] != "official", -spoken[one]["population_percent"], one)
    )
    return str(ranked[0]).partition("_")[0] if ranked else ""


def brand_of(workspace: Workspace) -> str:
    """The name that people know the workspace by."""
    return str((workspace.policy.get("brand") or {}).get("name") or workspace.name)
