"""What runs within the walls: load an unknown model, describe it, try it, tell. `sandbox` starts it and listens.

Lines of JSON go to the file descriptor named on the command line: {"walls": […]} before the model's first byte is read,
{"stage": "…"} before each part, at last {"manifest": {…}, "compiled": "…" or null}, {"rejected": "sentence"} or
{"failed": {…}}. On standard input come the model's bytes in chunks, each after its length in four bytes; after a length
of nought a line of JSON, the job. The parent sends that only when the checksum is right: nothing is loaded before.
"""

import io
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from predictor import journal, walls

_CHUNK_LENGTH_BYTES = 4

Tell = Callable[[dict[str, Any]], None]


def main(answers: int, cpu_seconds: int, memory_bytes: int) -> None:
    """Do it all, and end the process. `answers`: the file descriptor to write to."""

    def tell(message: dict[str, Any]) -> None:
        content = memoryview(json.dumps(message, allow_nan=False).encode() + b"\n")
        while content:
            content = content[os.write(answers, content) :]

    pandas_path = os.environ.get("PORTICO_PANDAS_PATH", "")
    standing = walls.raise_walls(cpu_seconds=cpu_seconds, pandas_path=pandas_path)
    _import_libraries()
    standing += walls.limit_memory(memory_bytes)
    tell({"walls": standing})
    bodies = [_read_body(sys.stdin.buffer)]
    job = json.loads(sys.stdin.buffer.readline())
    tell(_examine(bodies, job, tell))
    # Objects of the model, and what they registered to run at the end, are of no more interest.
    os._exit(0)


def _import_libraries() -> None:
    """What every model needs: while the parent fetches the file."""
    import joblib  # noqa: F401
    import sklearn.pipeline  # noqa: F401

    import predictor.trials  # noqa: F401


def _read_body(stream: BinaryIO) -> bytes:
    content = io.BytesIO()
    while length := int.from_bytes(stream.read(_CHUNK_LENGTH_BYTES), "big"):
        content.write(stream.read(length))
    # getvalue() shares the memory.
    return content.getvalue()


def _examine(bodies: list[bytes], job: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """The last message. `bodies` is emptied, so that the file's bytes are gone when the model is there."""
    from predictor.errors import Fault

    try:
        return _make_manifest(bodies, job, tell)
    except Fault as fault:
        return {"rejected": fault.message}
    except MemoryError:
        return {"rejected": "The model needs more memory than the check allows. Train a smaller one."}
    except BaseException as problem:  # not even SystemExit may end this without a word
        frames = traceback.extract_tb(problem.__traceback__)[-20:]
        named = [f"{frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})" for frame in frames]
        return {"failed": {"exception": type(problem).__name__, "frames": named}}


def _make_manifest(bodies: list[bytes], job: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """The manifest, and the model as tables if it can be written so."""
    from predictor.description import describe
    from predictor.loading import versions
    from predictor.trials import try_out
    from predictor.watching import Watch

    def announce(stage: str) -> None:
        tell({"stage": stage})

    watch = Watch(ignored_folders=walls.readable_paths(os.environ.get("PORTICO_PANDAS_PATH", "")))
    before = _resident_bytes()
    announce("loading")
    began = time.perf_counter()
    loaded = _load(bodies, job, watch)
    load_milliseconds = journal.milliseconds_since(began)
    loaded_bytes = _resident_bytes()
    description = describe(loaded.estimator, announce=announce)
    found = try_out(description, rows=job["rows"], announce=announce, watch=watch)
    announce("writing it as tables")
    compiled, tables = _compile(description, found)
    manifest = {
        "versions": versions(loaded.fitted_with),
        **description.to_json(),
        "warnings": [*loaded.warnings, *found.warnings],
        "golden": found.golden,
        "trials": found.trials,
        "flags": [*_flag_size(loaded_bytes, job["half_memory_bytes"]), *found.flags],
        "memory_bytes": max(0, _resident_bytes() - before),
        "load_milliseconds": load_milliseconds,
        "compiled": compiled,
    }
    return {"manifest": manifest, "compiled": tables}


def _compile(description: Any, found: Any) -> tuple[dict[str, Any], str | None]:
    """What the manifest says of the model's tables, and the tables, if there are any."""
    from predictor.compiled.parity import Compiled, NotCompiled, compile_model

    single = found.trials["single"]["milliseconds"]
    compiled: Compiled | NotCompiled
    try:
        compiled = compile_model(description, golden=found.golden, single_milliseconds=single)
    except Exception:  # the model is served in full, whatever it was
        compiled = NotCompiled("writing its tables failed")
    return compiled.to_json(), compiled.text if isinstance(compiled, Compiled) else None


def _load(bodies: list[bytes], job: Mapping[str, Any], watch: Any) -> Any:
    from predictor.errors import ModelBroken, Rejected
    from predictor.loading import load

    chosen = {name: job[name] for name in ("format", "member", "member_format", "trusted")}
    try:
        with watch.on():
            return load(bodies.pop(), **chosen)
    except ModelBroken as problem:
        deeds = watch.take()
        # A wall's refusal looks to the loader like a damaged file.
        if isinstance(problem.__cause__, PermissionError):
            done = " and ".join(deeds) or "does something"
            raise Rejected(
                f"Loading the file {done}, which is refused here: no model needs it. "
                "Save the fitted model alone, from a program that you trust."
            ) from problem
        raise
    finally:
        watch.take()


def _flag_size(loaded_bytes: int, half_memory_bytes: int) -> list[dict[str, str]]:
    from predictor.limits import in_megabytes

    if loaded_bytes <= half_memory_bytes:
        return []
    message = (
        f"Loaded, the process takes {in_megabytes(loaded_bytes)}, more than half of the "
        f"{in_megabytes(2 * half_memory_bytes)} that the functions have. A large file may not fit beside it."
    )
    return [{"code": "large", "message": message}]


def _resident_bytes() -> int:
    """The memory that the process takes now; where the system does not say, the most that it took."""
    try:
        with open("/proc/self/statm") as sizes:
            return int(sizes.read().split()[1]) * resource.getpagesize()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
