"""The server itself: limits of size and time, ids, several workers, a stop that lets calls finish, starts that fail."""

import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import pytest

from tests.predictor.serving.server_process import JSON, start


def _until(holds):
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_every_answer_carries_ids_and_keeps_the_callers(binary_server):
    good = binary_server.invoke({"inputs": [[1, 2, 3]]}, {"X-Request-Id": "mine-1"})
    bad = binary_server.invoke({"inputs": [[1]]}, {"X-Request-Id": "é" * 3})

    assert good.headers["x-request-id"] == "mine-1"
    assert len(bad.headers["x-request-id"]) == 32
    assert good.headers["x-model-version"] == bad.headers["x-model-version"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/invocations", "POST"), ("POST", "/ping", "GET, HEAD"), ("PUT", "/v2/models/binary/infer", "POST")],
)
def test_method_that_is_not_served_is_a_405(binary_server, method, path, allowed):
    answer = binary_server.ask(method, path)

    assert (answer.status, answer.headers["allow"]) == (405, allowed)


def test_packed_body_is_a_415(binary_server):
    assert binary_server.invoke(b"\x1f\x8b", JSON | {"Content-Encoding": "gzip"}).status == 415


@pytest.mark.parametrize(
    ("path", "key"),
    [("/invocations", "message"), ("/v2/models/binary/infer", "error"), ("/singlePrediction", "message")],
)
def test_body_that_is_too_large_is_a_413_in_each_form(serve, path, key):
    server = serve("binary", PORTICO_SERVE_BODY_MAX_BYTES="1000", PORTICO_BODY_MAX_BYTES="1000")

    answers = [server.ask("POST", path, b"x" * size, JSON) for size in (1001, 3_000_000)]
    chunked = server.ask("POST", path, iter([b"x" * 600] * 2), JSON)
    server.stop()

    assert [answer.status for answer in [*answers, chunked]] == [413] * 3
    assert "too large" in chunked.json()[key]


def test_body_that_does_not_come_is_a_408(serve):
    server = serve("binary", PORTICO_SERVE_SECONDS="1")

    with socket.create_connection(("127.0.0.1", server.port)) as caller:
        caller.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        answer = caller.recv(4096)
    server.stop()

    assert answer.startswith(b"HTTP/1.1 408")


def test_model_that_takes_too_long_is_a_504_and_answers_again_when_it_is_done(serve):
    server = serve("sleeper", PORTICO_SERVE_SECONDS="2")

    slow = server.invoke({"inputs": [[3.0]]})
    quick = server.invoke({"inputs": [[0.0]]})
    server.stop()

    assert (slow.status, slow.json()["error_code"]) == (504, "DEADLINE_EXCEEDED")
    assert (quick.status, quick.json()) == (200, {"predictions": [0.0]})


def test_worker_whose_model_has_stopped_answering_says_so_at_ping(serve):
    server = serve("sleeper", PORTICO_SERVE_SECONDS="1", PORTICO_SERVE_STOP_SECONDS="3")
    with ThreadPoolExecutor(5) as callers:
        found = [call.result() for call in [callers.submit(server.invoke, {"inputs": [[600.0]]}) for _ in range(5)]]

    ping, ready = server.ask("GET", "/ping"), server.ask("GET", "/v2/health/ready")
    code, _ = server.stop()

    assert sorted(answer.status for answer in found) == [503, 504, 504, 504, 504]
    assert (ping.status, ready.status) == (503, 503)
    assert code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_during_a_call_finishes_it_and_takes_no_other(serve, number):
    server = serve("sleeper", workers=2)
    with ThreadPoolExecutor(1) as callers:
        call = callers.submit(server.invoke, {"inputs": [[2.0]]})
        _until(lambda: any(len(os.listdir(f"/proc/{pid}/task")) > 1 for pid in server.workers()))
        server.process.send_signal(number)
        answer = call.result()
    code, written = server.stop()

    assert (answer.status, answer.json()) == (200, {"predictions": [2.0]})
    assert code == 0
    assert "Traceback" not in written
    with pytest.raises(OSError):
        server.ask("GET", "/ping")


def test_all_workers_answer_and_one_that_is_killed_is_replaced(serve):
    server = serve("sleeper", workers=2)
    first = server.workers()
    # Each of them has taken a thread for its model.
    with ThreadPoolExecutor(8) as callers:
        while not all(len(os.listdir(f"/proc/{pid}/task")) > 1 for pid in first):
            answers = list(callers.map(server.invoke, [{"inputs": [[0.1]]}] * 8))
            assert [answer.status for answer in answers] == [200] * 8

    os.kill(min(first), signal.SIGKILL)
    _until(lambda: len(server.workers()) == 2 and server.workers() != first)
    statuses = [server.invoke({"inputs": [[0.0]]}).status for _ in range(20)]
    code, written = server.stop()

    assert statuses == [200] * 20
    assert code == 0
    assert '"event": "worker died"' in written


def test_workers_end_when_the_first_process_is_killed(serve):
    server = serve("binary", workers=2)
    workers = server.workers()

    server.process.kill()

    _until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))


def test_idle_connection_does_not_hold_up_a_stop(serve):
    server = serve("binary", workers=2)

    with socket.create_connection(("127.0.0.1", server.port)):
        code, _ = server.stop()

    assert code == 0


def test_many_callers_at_once_are_answered_by_all_rules(serve, binary_server):
    bodies = [{"inputs": [[number, 2, 3]]} for number in range(200)]
    alone = [binary_server.invoke(body).json() for body in bodies[:20]]

    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(binary_server.invoke, bodies))

    assert {answer.status for answer in answers} == {200}
    assert [answer.json() for answer in answers[:20]] == alone
    assert len({answer.headers["x-request-id"] for answer in answers}) == 200
    assert threading.active_count() < 50


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "There is no model to serve."),
        ({"PORTICO_MODEL_FILE": "/nowhere/m.joblib"}, "there is no such file"),
        ({"PORTICO_MODEL_FILE": "/etc/hostname"}, "must end in one of .pkl"),
        ({"PORTICO_MODEL_FILE": "{folder}/broken.pkl"}, "broken.pkl cannot be served. The file does not load"),
        (
            {"PORTICO_MODEL_FILE": "{folder}/unfitted.joblib"},
            "unfitted.joblib cannot be served. The model is not fitted",
        ),
        ({"PORTICO_MODEL_FOLDER": "{folder}"}, "several models in {folder}: broken.pkl, unfitted.joblib"),
        ({"PORTICO_MODEL_FILE": "{good}", "PORTICO_SERVE_PORT": "http"}, "PORTICO_SERVE_PORT is 'http'"),
        ({"PORTICO_MODEL_FILE": "{good}", "PORTICO_SERVE_WORKERS": "0"}, "PORTICO_SERVE_WORKERS is '0'"),
        ({"PORTICO_MODEL_FILE": "{good}", "PORTICO_SERVE_PORT": "{taken}"}, "Port {taken} cannot be listened on"),
    ],
)
def test_start_that_cannot_serve_says_why_and_ends(tmp_path, model_files, settings, says):
    from sklearn.linear_model import LinearRegression

    (tmp_path / "broken.pkl").write_bytes(b"no pickle")
    joblib.dump(LinearRegression(), tmp_path / "unfitted.joblib")
    with socket.create_server(("", 0)) as other:
        known = {"folder": tmp_path, "good": model_files["binary"], "taken": other.getsockname()[1]}
        with (tmp_path / "log").open("w+") as log:
            code = start(log, **{name: value.format(**known) for name, value in settings.items()}).wait(60)
    written = (tmp_path / "log").read_text()

    assert code == 1
    assert says.format(**known) in written
    assert "Traceback" not in written


def test_only_model_in_the_folder_is_served(tmp_path, models, serve):
    import skops.io

    skops.io.dump(models["binary"], tmp_path / "Churn model_2.skops")
    (tmp_path / "notes.txt").write_text("not a model")
    from tests.predictor.serving.server_process import Server

    server = Server(PORTICO_MODEL_FOLDER=str(tmp_path))
    answer = server.invoke({"inputs": [[1, 2, 3]]})
    server.stop()

    assert answer.headers["x-model-version"].startswith("churn-model-2/")
