"""Logs are read by position, whatever lies in the file."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runyard.localcloud.logging import reader
from runyard.localcloud.logging.format import STDOUT, encode
from runyard.localcloud.logging.reader import Entry, read_page


def line(number: int, task: int = 0) -> bytes:
    return encode(1_767_225_600_000_000 + number, task, 0, STDOUT, "INFO", f"line {number}")


def write(folder: Path, content: bytes) -> Path:
    path = folder / "x.log"
    path.write_bytes(content)
    return path


def read_all(path: Path, limit: int, task: int | None = None) -> list[Entry]:
    found: list[Entry] = []
    after = 0
    while True:
        page = read_page(path, after, limit, task)
        found += page.entries
        if page.complete:
            return found
        assert page.after > after
        after = page.after


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    page = read_page(tmp_path / "none.log", 5)
    assert (page.entries, page.after, page.complete) == ((), 5, True)


def test_the_growing_last_line_waits_for_its_newline(tmp_path: Path) -> None:
    whole, torn = line(1), line(2)[:-5]
    path = write(tmp_path, whole + torn)
    page = read_page(path)
    assert [entry.text for entry in page.entries] == ["line 1"]
    assert page.after == len(whole)
    path.write_bytes(whole + line(2))
    assert [entry.text for entry in read_page(path, page.after).entries] == ["line 2"]


def test_torn_and_foreign_lines_are_skipped(tmp_path: Path) -> None:
    path = write(
        tmp_path, b"\n\xff\xfe\n" + line(1)[:20] + b"\n[]\n{}\n" + line(2) + b"\0" * 300 + b"\n"
    )
    assert [entry.text for entry in read_all(path, 10)] == ["line 2"]


def test_a_filter_reads_on_past_what_it_leaves_out(tmp_path: Path) -> None:
    path = write(tmp_path, b"".join(line(number, number % 3) for number in range(30)))
    found = read_all(path, 4, task=1)
    assert [entry.text for entry in found] == [f"line {number}" for number in range(1, 30, 3)]


def test_a_page_looks_at_a_bounded_part_of_the_file(tmp_path: Path) -> None:
    count = 3 * reader.SCAN_BYTES_MAX // len(line(1_000_000))
    content = b"".join(line(1_000_000 + number) for number in range(count))
    path = write(tmp_path, content + line(7, task=1))
    first = read_page(path, 0, 10, task=1)
    assert (first.entries, first.complete) == ((), False)
    assert first.after <= reader.SCAN_BYTES_MAX
    assert [entry.text for entry in read_all(path, 10, task=1)] == ["line 7"]


def test_a_page_of_long_entries_has_fewer_of_them(tmp_path: Path) -> None:
    texts = [f"{number} " + "x" * 200_000 for number in range(20)]
    content = b"".join(encode(1, 0, 0, STDOUT, "INFO", text) for text in texts)
    path = write(tmp_path, content)
    first = read_page(path, 0, 1000)
    assert sum(len(entry.text) for entry in first.entries) < reader.PAGE_BYTES_MAX + 200_010
    assert not first.complete
    assert [entry.text for entry in read_all(path, 1000)] == texts


def test_a_huge_stretch_without_a_newline_does_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path, b"x" * (2 * reader.SCAN_BYTES_MAX) + b"\n" + line(1))
    assert [entry.text for entry in read_all(path, 10)] == ["line 1"]


@given(st.lists(st.text(max_size=40), max_size=30), st.integers(1, 7))
def test_pages_of_any_size_give_every_line_once(texts: list[str], limit: int) -> None:
    entries = [encode(n, 0, 0, STDOUT, "INFO", text) for n, text in enumerate(texts)]
    path = Path("/dev/shm") / f"runyard-test-{id(entries)}.log"
    try:
        path.write_bytes(b"".join(entries))
        found = read_all(path, limit)
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        assert [entry.text for entry in found] == clean
        assert [entry.position for entry in found] == sorted({e.position for e in found})
    finally:
        path.unlink(missing_ok=True)
