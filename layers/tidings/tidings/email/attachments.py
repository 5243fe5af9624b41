"""Files that go with a mail, checked before anything is kept or sent.

What SES accepts: https://docs.aws.amazon.com/ses/latest/dg/attachments.html and its list of unsupported types; a whole
mail has at most 40 MB. Nearer is what the way to us allows: Lambda takes requests of 6 MB, in which files are base64.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tidings.core.errors import InvalidInput
from tidings.email.model import Attachment

FILES = 100
FILES_BYTES = 4_000_000  # of all files of a mail together: 5.4 MB in base64
NAME_CHARACTERS = 255
TYPE_CHARACTERS = 78

_WORD = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"  # RFC 6838, 4.2
_TYPE = re.compile(rf"(?P<main>{_WORD})/{_WORD}(; ?{_WORD}=({_WORD}|\"[A-Za-z0-9 !#$&^_.,:+-]*\"))*")
# A file is neither a mail nor a piece of one: these types have a structure that bytes alone do not give them.
_STRUCTURED = frozenset({"multipart", "message"})

_REFUSED = """
.ade .adp .app .asp .bas .bat .cer .chm .cmd .com .cpl .crt .csh .der .exe .fxp .gadget .hlp .hta .inf .ins .isp
.its .js .jse .ksh .lib .lnk .mad .maf .mag .mam .maq .mar .mas .mat .mau .mav .maw .mda .mdb .mde .mdt .mdw .mdz
.msc .msh .msh1 .msh2 .mshxml .msh1xml .msh2xml .msi .msp .mst .ops .pcd .pif .plg .prf .prg .reg .scf .scr .sct
.shb .shs .sys .ps1 .ps1xml .ps2 .ps2xml .psc1 .psc2 .tmp .url .vb .vbe .vbs .vps .vsmacros .vss .vst .vsw .vxd .ws
.wsc .wsf .wsh .xnk
"""
REFUSED_EXTENSIONS = frozenset(_REFUSED.split())
"""Types that SES refuses, by the end of the name."""


class AttachmentInput(BaseModel):
    """A file as it is given: its name, its media type, and its content in base64."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: str
    type: str
    content: Annotated[str, Field(repr=False)]


def read_attachments(given: Sequence[AttachmentInput]) -> tuple[Attachment, ...]:
    """The files of a mail.

    Raises InvalidInput, which names the field: `invalid_attachment` for a name, type or content that is malformed,
    `attachment_type_refused` for a kind of file that SES does not take, `attachments_too_large` beyond 4,000,000 bytes.
    """
    files = tuple(_read(number, one) for number, one in enumerate(given))
    if sum(len(one.content) for one in files) > FILES_BYTES:
        raise InvalidInput(
            "attachments_too_large", f"The files of a mail have at most {FILES_BYTES} bytes together.", "attachments"
        )
    return files


def _read(number: int, given: AttachmentInput) -> Attachment:
    place = f"attachments.{number}"
    _check_name(given.name, f"{place}.name")
    found = _TYPE.fullmatch(given.type) if len(given.type) <= TYPE_CHARACTERS else None
    if found is None or found["main"].lower() in _STRUCTURED:
        raise _invalid("The type is a media type of a file, such as application/pdf.", f"{place}.type")
    try:
        content = base64.b64decode(given.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid("The content is not base64.", f"{place}.content") from error
    if not content:
        raise _invalid("The file is empty.", f"{place}.content")
    return Attachment(given.name, given.type, content)


def _check_name(name: str, place: str) -> None:
    """A name is a name alone: no path, nothing that ends a header's line or turns the direction of reading around."""
    plain = all(unicodedata.category(character)[0] != "C" for character in name)
    if not plain or not 1 <= len(name) <= NAME_CHARACTERS or name != name.strip(" ") or {"/", "\\"} & set(name):
        raise _invalid(f"The name is that of a file, without a path, of 1 to {NAME_CHARACTERS} characters.", place)
    if name.endswith("."):
        raise _invalid("The name ends with a dot, which some systems leave out.", place)
    if any(name.lower().endswith(end) for end in REFUSED_EXTENSIONS):  # also one that is nothing but its end
        raise InvalidInput("attachment_type_refused", "SES takes no files of this type.", place)


def _invalid(message: str, place: str) -> InvalidInput:
    return InvalidInput("invalid_attachment", message, place)
