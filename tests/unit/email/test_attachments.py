"""Which files go with a mail."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core.errors import InvalidInput
from tidings.email.attachments import FILES_BYTES, REFUSED_EXTENSIONS, AttachmentInput, read_attachments
from tidings_cli.carriers.ses import rules


def file(name: str = "a.pdf", kind: str = "application/pdf", content: str = "aGVsbG8=") -> AttachmentInput:
    return AttachmentInput(name=name, type=kind, content=content)


def refusal(*files: AttachmentInput) -> tuple[str, str | None]:
    with pytest.raises(InvalidInput) as refused:
        read_attachments(files)
    return refused.value.code, refused.value.field


def test_a_file_is_its_name_its_type_and_its_bytes() -> None:
    (read,) = read_attachments([file("Zażółć (1).pdf")])
    assert (read.name, read.type, read.content) == ("Zażółć (1).pdf", "application/pdf", b"hello")


@pytest.mark.parametrize("kind", ["text/calendar; method=REQUEST", 'text/csv;charset="utf-8"', "image/svg+xml"])
def test_a_type_may_have_parameters(kind: str) -> None:
    assert read_attachments([file(kind=kind)])[0].type == kind


@pytest.mark.parametrize(
    "name",
    [
        *("", "a" * 256, "../a.pdf", "a/b.pdf", "a\\b.pdf", "a\r\nX: y.pdf", "a\0.pdf", "a\u202efdp.pdf"),
        *(" a.pdf", "a.pdf ", "a.exe.", "..", "\ud800"),
    ],
)
def test_a_name_is_that_of_a_file_and_no_path_or_header(name: str) -> None:
    assert refusal(file(name)) == ("invalid_attachment", "attachments.0.name")


@pytest.mark.parametrize(
    "kind",
    [
        *("", "pdf", "a/b\r\nX: y", "a/b; x", "multipart/mixed", "message/rfc822"),
        *("a/" + "b" * 77, "text/plain;", "ä/b"),
    ],
)
def test_a_type_is_the_media_type_of_a_file(kind: str) -> None:
    assert refusal(file(), file(kind=kind)) == ("invalid_attachment", "attachments.1.type")


@pytest.mark.parametrize("content", ["", "aGVsbG8", "aGVs bG8=", "aGVsbG8=\n", "-_-_", "ä", "="])
def test_content_is_strict_base64(content: str) -> None:
    assert refusal(file(content=content)) == ("invalid_attachment", "attachments.0.content")


@pytest.mark.parametrize("extension", sorted(REFUSED_EXTENSIONS))
def test_types_that_ses_refuses_are_refused(extension: str) -> None:
    for name in (f"Report{extension.upper()}", extension):
        assert refusal(file(name)) == ("attachment_type_refused", "attachments.0.name")


def test_we_refuse_what_the_local_ses_refuses() -> None:
    assert REFUSED_EXTENSIONS == rules._REFUSED_EXTENSIONS


def test_files_have_four_megabytes_together() -> None:
    half = base64.b64encode(b"x" * (FILES_BYTES // 2)).decode()
    assert len(read_attachments([file(content=half), file(content=half)])) == 2
    assert refusal(file(content=half), file(content=half), file()) == ("attachments_too_large", "attachments")


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_file_is_taken_or_refused(name: str, kind: str, content: str) -> None:
    try:
        found = read_attachments([file(name, kind, content)])
    except InvalidInput:
        return
    assert found[0].name.isprintable()
    assert "\n" not in found[0].name + found[0].type
