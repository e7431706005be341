"""The HTTP benchmark's client: what it counts, and what it refuses to count."""

import asyncio
import contextlib
import threading

import pytest

from benchmarks.http_client import Job, client, nothing


@contextlib.contextmanager
def _server(*pieces: bytes):
    """The port of a server that answers each request with these pieces, each written for itself."""
    seen = []

    async def answer(reader, writer):
        # Closed also where the task is cancelled: nobody else would, and some later test would have to answer for it.
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                header = await reader.readuntil(b"\r\n\r\n")
                length = int(header.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                seen.append(await reader.readexactly(length))
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        server.close()
        loop.run_until_complete(asyncio.sleep(0.02))
        loop.close()


def _job(port, **changes):
    return Job(**{"port": port, "path": "/", "bodies": ["one", "two"], "clients": 1, "requests": 4, **changes})


def test_client_sends_each_body_in_turn_and_reports_every_request():
    with _server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (port, seen), client() as asking:
        measured = asking.run(_job(port))

    assert seen == [b"one", b"two", b"one", b"two"]
    assert len(measured.seconds) == 4
    assert measured.elapsed_s >= sum(measured.seconds) * 0.99


def test_client_waits_for_an_answer_that_comes_in_pieces():
    with _server(b"HTTP/1.1 200 OK\r\nConte", b"nt-Length: 6\r\n\r\nabc", b"def") as (port, seen), client() as asking:
        measured = asking.run(_job(port, clients=3, requests=6))

    assert len(measured.seconds) == 6
    assert len(seen) == 6


def test_client_counts_no_refusal():
    with (
        _server(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\n\r\nnope") as (port, _),
        client() as asking,
        pytest.raises(RuntimeError, match="400 Bad Request"),
    ):
        asking.run(_job(port))


def test_ceiling_is_a_server_that_answers_several_clients():
    with nothing() as port, client() as asking:
        measured = asking.run(_job(port, clients=8, requests=100))

    assert len(measured.seconds) == 100
