"""A running inference container as Lambda has it: read-only but for /tmp, not root, no network, its objects inside.

It is asked from within itself, so that no port has to be free and nothing has to be reachable.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STUB = Path(__file__).parent / "object_stub.py"
PATH = "/2015-03-31/functions/function/invocations"
# What a function has on Lambda. An address, so that the bucket is in the path; 9001 is the runtime emulator's own port.
FUNCTION = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9100",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "PORTICO_BUCKET": "stub",
    "PORTICO_DEFAULT_MODEL": "",
}
LAMBDA_LIKE = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")  # noqa: S108

_WAIT = """
import socket, sys, time
for _ in range(200):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
        break
    except OSError:
        time.sleep(0.05)
else:
    sys.exit("nothing listens")
"""
_ASK = """
import sys, urllib.request
sys.stdout.write(urllib.request.urlopen("http://127.0.0.1:8080" + sys.argv[1], sys.stdin.buffer.read()).read().decode())
"""


_LIST_ALLOWED = """
import json, os, runpy, sys
from pathlib import Path
for name, text in json.load(sys.stdin).items():
    path = Path("/tmp/repository", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
sys.path.append(os.environ["PORTICO_PANDAS_PATH"])
sys.argv = ["allowlist.py"]
runpy.run_path("/tmp/repository/lambda_docker/allowlist.py", run_name="__main__")
"""
ALLOWLIST_FILES = ("lambda_docker/allowlist.py", "lambda_docker/packages.toml", "portal/scanner/allowed.json")


class LambdaContainer:
    """Runs until `remove`."""

    def __init__(self, image: str, *arguments: str, options: tuple[str, ...] = ("--network", "none")) -> None:
        settings = [f"--env={name}={value}" for name, value in FUNCTION.items()]
        self.id = docker("run", "--detach", *LAMBDA_LIKE, *options, *settings, image, *arguments).strip()

    def serve_objects(self, objects: dict[str, bytes]) -> None:
        """What its bucket holds."""
        for number, (key, body) in enumerate(objects.items()):
            docker("exec", "--interactive", self.id, "sh", "-c", f"cat >/tmp/{number}", given=body)
            docker("exec", "--interactive", self.id, "sh", "-c", f"cat >/tmp/{number}.key", given=key.encode())
        docker("exec", "--detach", self.id, "python", "-c", STUB.read_text("utf-8"), "9100", "/tmp")  # noqa: S108
        self._wait_for(9100)

    def invoke(self, event: object) -> Any:
        self._wait_for(8080)
        answer = docker("exec", "--interactive", self.id, "python", "-c", _ASK, PATH, given=json.dumps(event).encode())
        return json.loads(answer)

    def address(self) -> str:
        """Where the container's port 8080 is found on this machine; it must have been published."""
        self._wait_for(8080)
        return docker("port", self.id, "8080").splitlines()[0]

    def log(self) -> str:
        done = subprocess.run(["docker", "logs", self.id], capture_output=True, text=True, check=True)  # noqa: S607
        return done.stdout + done.stderr

    def remove(self) -> None:
        docker("rm", "--force", self.id)

    def _wait_for(self, port: int) -> None:
        docker("exec", self.id, "python", "-c", _WAIT, str(port))


def docker(*arguments: str, given: bytes = b"") -> str:
    """What the command prints; fails the test where it fails."""
    done = subprocess.run(["docker", *arguments], input=given, capture_output=True, check=False)  # noqa: S607
    assert done.returncode == 0, f"docker {' '.join(arguments)[:200]}\n{done.stderr.decode()[-3000:]}"
    return done.stdout.decode()


def run_python(image: str, source: str, *arguments: str, options: tuple[str, ...] = (), given: bytes = b"") -> str:
    """What a program prints that runs in the image in the function's place."""
    where = ("run", "--rm", "--interactive", "--network", "none", *LAMBDA_LIKE, *options, "--entrypoint", "python")
    return docker(*where, image, "-c", source, *arguments, given=given)


def list_allowed(image: str) -> Any:
    """What allowlist.py makes of the packages in the image, names of packages that it lacks kept as they are listed."""
    files = {name: (ROOT / name).read_text("utf-8") for name in ALLOWLIST_FILES}
    return json.loads(run_python(image, _LIST_ALLOWED, given=json.dumps(files).encode()))
