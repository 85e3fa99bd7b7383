"""Bytes and texts: what is too large or unreadable is refused at once, with its place."""

from __future__ import annotations

from time import thread_time

import pytest

from runyard.model.errors import InvalidSpec
from runyard.model.manifest import Source, decoded, load
from runyard.model.manifest.text import CHARACTERS_MAX, FILES_MAX
from tests.support.manifests import DESIGN, faults_of, load_texts


def test_utf_8_is_decoded_and_a_byte_order_mark_dropped() -> None:
    assert decoded("a.yaml", "project: é".encode()) == Source("a.yaml", "project: é")
    assert decoded("a.yaml", b"\xef\xbb\xbfproject: a") == Source("a.yaml", "project: a")


def test_a_byte_that_is_not_utf_8_has_a_place() -> None:
    with pytest.raises(InvalidSpec) as caught:
        decoded("a.yaml", "project: a\né: ".encode() + b"\xff\n")
    [fault] = caught.value.faults
    assert (fault.file, fault.line, fault.column) == ("a.yaml", 2, 4)
    assert fault.value == "the byte 0xff"


def test_a_hundred_megabytes_are_refused_in_milliseconds() -> None:
    text = "a" * 100_000_000
    began = thread_time()
    with pytest.raises(InvalidSpec, match="too large"):
        load([Source("a.yaml", text)])
    with pytest.raises(InvalidSpec, match="too large"):
        decoded("a.yaml", text.encode())
    assert thread_time() - began < 1  # most of it is encode(); the refusals look at no character


def test_many_texts_count_together() -> None:
    half = "#" * (CHARACTERS_MAX // 2 + 1)
    [fault] = faults_of(half, half)
    assert (fault.file, fault.line) == ("1.yaml", 1)


def test_too_many_files_are_refused() -> None:
    [fault] = faults_of(*["# nothing\n"] * (FILES_MAX + 1))
    assert fault.value == f"{FILES_MAX + 1} files"


def test_no_file_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="no manifest"):
        load([])


@pytest.mark.parametrize(
    "bad", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9f", "\u2028", "\ufeff", "\ud800", "\uffff"]
)
def test_a_control_character_in_the_text_has_a_place(bad: str) -> None:
    faults = faults_of(f"project: shop\njobs: {bad}\n")
    [fault] = [fault for fault in faults if "control" in fault.expected]
    assert (fault.file, fault.line, fault.column) == ("0.yaml", 2, 7)
    assert fault.value.isascii()
    assert fault.value.isprintable()


@pytest.mark.parametrize("empty", ["", "\n\n", "# only a comment\n", "---\n", "null", "~"])
def test_an_empty_file_is_said_to_be_empty(empty: str) -> None:
    [fault] = faults_of(empty)
    assert (fault.file, fault.line, fault.column) == ("0.yaml", 1, 1)
    assert fault.value == "an empty file"
    [fault] = faults_of(DESIGN, empty)
    assert fault.file == "1.yaml"


def test_windows_line_ends_and_a_byte_order_mark_are_fine() -> None:
    text = "\ufeff" + DESIGN.replace("\n", "\r\n")
    assert load_texts(text).jobs == load_texts(DESIGN).jobs
