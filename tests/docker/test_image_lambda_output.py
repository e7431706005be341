import threading
from collections.abc import Iterator

from image_lambda.output import Chunk, Output

DIARY = b"22 Nov 2026 19:09:11,495 [INFO] (rapid) INIT START(type: on-demand, phase: init)\n"


def read(*chunks: Chunk) -> tuple[Output, list[str]]:
    """An output that has ended, and what it wrote to the screen."""
    written: list[str] = []
    output = Output(iter(chunks), prefix="fn", write=written.append)
    assert output.ended.wait(5)
    return output, written


def test_lines_are_put_together_from_pieces_of_either_stream() -> None:
    output, written = read((b"on", None), (None, b"err"), (b"e\ntwo\n", None), (None, b"or\n"))

    assert output.take("r", timeout_s=5) == ["one", "two", "error"]
    assert "".join(written) == "fn | one\nfn | two\nfn | error\n"


def test_last_line_without_an_end_is_kept() -> None:
    output, _ = read((b"last words", None))

    assert output.take("r", timeout_s=5) == ["last words"]


def test_emulators_diary_is_shown_to_nobody_but_tells_why_an_image_does_not_start() -> None:
    output, written = read((None, DIARY))

    assert output.take("r", timeout_s=5) == []
    assert written == []
    assert "INIT START" in output.last_lines()


def test_taken_lines_are_not_given_twice() -> None:
    output, _ = read((b"one\n", None))
    output.take("r", timeout_s=5)

    assert output.take("r", timeout_s=5) == []


def test_take_waits_for_the_report_of_its_request() -> None:
    gate = threading.Event()

    def chunks() -> Iterator[Chunk]:
        yield b"START RequestId: r\n", None
        gate.set()
        yield b"REPORT RequestId: r\tDuration: 1 ms\n", None
        forever.wait()

    forever = threading.Event()
    output = Output(chunks(), prefix="fn", write=lambda text: None)
    gate.wait(5)

    assert output.take("r", timeout_s=5)[-1].startswith("REPORT")
    forever.set()
