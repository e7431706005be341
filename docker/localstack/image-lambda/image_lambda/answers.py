"""What the Runtime Interface Emulator (RIE) in the container answered, in Lambda's own words.

RIE answers 200 to a result, to an exception of the handler and, in plain text, to a time-out; 502 when the runtime
died. Lambda answers all of these with a payload and says with FunctionError which are errors.
Imports nothing of LocalStack.
"""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus

TIMED_OUT = re.compile(rb"Task timed out after [\d.]+ seconds")
# What runtimes put into the report of an exception; a handler's own answer that looks exactly so is read as one.
REQUIRED_KEYS, OTHER_KEYS = {"errorType", "errorMessage"}, {"requestId", "stackTrace", "trace", "cause"}


@dataclass(frozen=True)
class Answer:
    """One invocation's outcome. `is_fatal`: the container must not be used again."""

    payload: bytes
    is_error: bool = False
    is_fatal: bool = False


def read_answer(status: int, body: bytes, *, request_id: str) -> Answer:
    if status == HTTPStatus.OK and TIMED_OUT.fullmatch(body):
        return fatal("Sandbox.Timedout", body.decode(), request_id=request_id)
    if status == HTTPStatus.OK:
        return Answer(body, is_error=is_exception(body))
    if not is_exception(body):
        return fatal("Runtime.Unknown", f"The emulator answered {status}: {body[:500]!r}", request_id=request_id)
    # 413: the answer was over 6 MB; the function itself is well.
    return Answer(body, is_error=True, is_fatal=status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def timed_out(timeout_s: float, *, request_id: str) -> Answer:
    return fatal("Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds", request_id=request_id)


def exited(exit_code: int | None, *, was_out_of_memory: bool = False, request_id: str) -> Answer:
    """The container ended, and with it the emulator that would have said why."""
    return fatal("Runtime.ExitError", exit_reason(exit_code, was_out_of_memory), request_id=request_id)


def fatal(error_type: str, message: str, *, request_id: str) -> Answer:
    return Answer(error_payload(error_type, f"RequestId: {request_id} Error: {message}"), is_error=True, is_fatal=True)


def error_payload(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()


def exit_reason(exit_code: int | None, was_out_of_memory: bool = False) -> str:
    # 128 + 9: how a shell, and Docker, write "killed".
    if was_out_of_memory or exit_code == 137:
        return "Runtime exited with error: signal: killed"
    if not exit_code:
        return "Runtime exited without providing a reason"
    return f"Runtime exited with error: exit status {exit_code}"


def is_exception(body: bytes) -> bool:
    if not body.startswith(b"{") or b'"errorType"' not in body:
        return False
    try:
        keys = set(json.loads(body))
    except ValueError:
        return False
    return REQUIRED_KEYS <= keys <= REQUIRED_KEYS | OTHER_KEYS


def frame_log(lines: list[str], answer: Answer, *, request_id: str, milliseconds: float, memory_mb: int) -> str:
    """The log of one invocation with the lines that Lambda writes around it, where the emulator left them out."""
    framed = list(lines)
    if not any(line.startswith("START RequestId: ") for line in framed):
        framed.insert(0, f"START RequestId: {request_id} Version: $LATEST")
    if answer.is_fatal:
        framed.append(json.loads(answer.payload)["errorMessage"])
    if not any(line.startswith("REPORT RequestId: ") for line in framed):
        billed = int(milliseconds) + 1
        framed += [
            f"END RequestId: {request_id}",
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\tBilled Duration: {billed} ms\t"
            f"Memory Size: {memory_mb} MB",
        ]
    return "\n".join(framed) + "\n"
