import json

import pytest
from image_lambda import answers

EXCEPTION = {"errorMessage": "no", "errorType": "ValueError", "requestId": "r", "stackTrace": ["line"]}


def test_result_is_no_error() -> None:
    assert answers.read_answer(200, b'{"ok":true}', request_id="r") == answers.Answer(b'{"ok":true}')


def test_exception_is_an_error_word_for_word_and_the_container_stays() -> None:
    body = json.dumps(EXCEPTION).encode()

    assert answers.read_answer(200, body, request_id="r") == answers.Answer(body, is_error=True)


@pytest.mark.parametrize("answer", [{"errorType": "x"}, {**EXCEPTION, "rows": 3}, [EXCEPTION], "errorType"])
def test_answer_that_only_resembles_an_exception_is_a_result(answer: object) -> None:
    assert not answers.read_answer(200, json.dumps(answer).encode(), request_id="r").is_error


def test_plain_text_of_a_timeout_becomes_lambdas_error() -> None:
    answer = answers.read_answer(200, b"Task timed out after 3.00 seconds", request_id="r")

    message = "RequestId: r Error: Task timed out after 3.00 seconds"
    assert json.loads(answer.payload) == {"errorType": "Sandbox.Timedout", "errorMessage": message}
    assert answer.is_error and answer.is_fatal


def test_handler_that_returns_the_words_of_a_timeout_did_not_time_out() -> None:
    assert not answers.read_answer(200, b'"Task timed out after 3.00 seconds"', request_id="r").is_error


def test_crash_keeps_what_the_emulator_said_and_ends_the_container() -> None:
    body = answers.error_payload("Runtime.ExitError", "RequestId: r Error: Runtime exited with error: exit status 1")

    assert answers.read_answer(502, body, request_id="r") == answers.Answer(body, is_error=True, is_fatal=True)


def test_answer_too_large_leaves_the_container_alone() -> None:
    body = answers.error_payload("Function.ResponseSizeTooLarge", "Response payload size exceeded")

    assert answers.read_answer(413, body, request_id="r") == answers.Answer(body, is_error=True)


def test_unreadable_refusal_is_an_error_that_quotes_it() -> None:
    answer = answers.read_answer(500, b"<html>", request_id="r")

    assert answer.is_fatal
    assert "500" in json.loads(answer.payload)["errorMessage"]


@pytest.mark.parametrize(
    ("exit_code", "was_out_of_memory", "reason"),
    [
        (1, False, "exit status 1"),
        (137, False, "signal: killed"),
        (1, True, "signal: killed"),
        (0, False, "without providing a reason"),
        (None, False, "without providing a reason"),
    ],
)
def test_exit_is_told_as_lambda_tells_it(exit_code: int | None, was_out_of_memory: bool, reason: str) -> None:
    assert answers.exit_reason(exit_code, was_out_of_memory).endswith(reason)


def test_log_of_a_crash_gets_the_lines_that_the_emulator_left_out() -> None:
    answer = answers.exited(1, request_id="r")

    log = answers.frame_log(
        ["START RequestId: r Version: $LATEST", "hm"], answer, request_id="r", milliseconds=4.2, memory_mb=128
    )

    assert log.splitlines() == [
        "START RequestId: r Version: $LATEST",
        "hm",
        "RequestId: r Error: Runtime exited with error: exit status 1",
        "END RequestId: r",
        "REPORT RequestId: r\tDuration: 4.20 ms\tBilled Duration: 5 ms\tMemory Size: 128 MB",
    ]


def test_log_that_is_complete_stays_as_it_is() -> None:
    lines = ["START RequestId: r Version: $LATEST", "END RequestId: r", "REPORT RequestId: r\tDuration: 1.00 ms"]

    log = answers.frame_log(lines, answers.Answer(b"1"), request_id="r", milliseconds=1, memory_mb=128)

    assert log.splitlines() == lines
