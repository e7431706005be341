"""The images that benchmarks compare: ours, and the original tool's requirements."""

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
CONTEXT = HERE.parents[1] / "lambda_docker"
BASE = "python:3.13-slim-trixie"
OURS, ORIGINAL = "portico-lambda", "portico-benchmark-original"


def build_ours() -> str:
    return _build(OURS, CONTEXT / "Dockerfile", BASE=BASE)


def build_original() -> str:
    return _build(ORIGINAL, HERE / "original.Dockerfile", BASE=BASE)


def size_bytes(image: str) -> int:
    """All layers unpacked, as `docker images` counts them."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))


def docker(*arguments: str, given: bytes = b"") -> str:
    """What the command prints. Raises: RuntimeError with what it complained of."""
    done = subprocess.run(["docker", *arguments], input=given, capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode != 0:
        raise RuntimeError(f"docker {' '.join(arguments)[:200]} failed:\n{done.stderr.decode()[-3000:]}")
    return done.stdout.decode()


def _build(tag: str, file: Path, **arguments: str) -> str:
    settings = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    docker("build", "--quiet", "--tag", tag, "--file", str(file), *settings, str(CONTEXT))
    return tag
