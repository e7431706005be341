from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keeper.bodies import BodyFile

OpenBody = Callable[..., BodyFile]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "kept.body"
    path.write_bytes(b"0123456789")
    return path


@pytest.fixture
def open_body(tmp_path: Path) -> Iterator[OpenBody]:
    opened: list[BodyFile] = []

    def open_one(kept: Path | None = None) -> BodyFile:
        opened.append(BodyFile(spool_folder=str(tmp_path), spool_bytes=4, kept=kept))
        return opened[-1]

    yield open_one
    for body in opened:
        body.close()


def read_all(body: BodyFile) -> bytes:
    body.seek(0)
    return body.read()


def test_what_is_written_is_read_before_and_after_it_is_kept(open_body: OpenBody, kept: Path):
    body = open_body()
    body.write(b"01234")
    body.write(b"56789")
    before = read_all(body)

    body.adopt(kept)

    assert (before, read_all(body), body.kept) == (b"0123456789", b"0123456789", kept)


@pytest.mark.parametrize("held", [False, True])
def test_a_kept_file_is_read_from_any_place(open_body: OpenBody, kept: Path, held: bool):
    body = open_body(kept)
    if held:
        body.hold()

    assert (body.seek(3), body.read(2), body.tell()) == (3, b"34", 5)
    assert (body.seek(-2, 2), body.read()) == (8, b"89")
    assert (body.seek(-4, 1), body.read(1)) == (6, b"6")


def test_writing_over_a_kept_file_leaves_it_as_it_is(open_body: OpenBody, kept: Path):
    body = open_body(kept)
    body.seek(0)
    body.truncate()
    body.write(b"new")

    assert read_all(body) == b"new"
    assert body.kept is None
    assert kept.read_bytes() == b"0123456789"


def test_a_kept_file_can_be_cut_and_continued(open_body: OpenBody, kept: Path):
    body = open_body(kept)
    body.seek(4)
    body.truncate()
    body.write(b"!")

    assert read_all(body) == b"0123!"


def test_writing_into_a_kept_file_keeps_what_is_around(open_body: OpenBody, kept: Path):
    body = open_body(kept)
    body.seek(4)
    body.write(b"!")

    assert read_all(body) == b"0123!56789"


def test_a_held_file_is_read_after_it_was_removed(open_body: OpenBody, kept: Path):
    body = open_body(kept)
    body.hold()
    kept.unlink()

    assert read_all(body) == b"0123456789"


def test_a_closed_body_is_gone_and_its_kept_file_is_not(open_body: OpenBody, kept: Path):
    body = open_body(kept)
    body.close()

    with pytest.raises(ValueError, match="gone"):
        body.read()
    assert kept.exists()
