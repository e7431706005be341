"""A PostgreSQL of our own for a while: in a folder of its own, on a socket in it, with nobody else's data."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACES = "/usr/lib/postgresql/*/bin"  # Debian keeps them off the path
# A server refuses to run as root; Debian's package makes this user.
SERVICE_USER = "postgres"


class NoPostgresql(Exception):
    """There is none to be run here; the message says why."""


@contextmanager
def running_postgresql(folder: Path) -> Iterator[str]:
    """The address of an empty database; a folder that was used before has its database of before.

    Raises: NoPostgresql: it is not installed, or does not start
    """
    initdb, control = _program("initdb"), _program("pg_ctl")
    data = folder / "data"
    as_user = _step_down(folder)
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
    if not (data / "PG_VERSION").exists():
        _run(*as_user, initdb, "-D", str(data), "-U", "portico", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    _run(*as_user, control, "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
    try:
        yield f"postgresql://portico@/postgres?host={folder}"
    finally:
        _run(*as_user, control, "-D", str(data), "-m", "fast", "-w", "stop")


def _program(name: str) -> str:
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/").glob(f"{PLACES[1:]}/{name}"), reverse=True)), None
    )
    if found is None:
        raise NoPostgresql(f"PostgreSQL's {name} is not installed (Debian: apt-get install postgresql)")
    return found


def _step_down(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    try:
        shutil.chown(folder, SERVICE_USER)
    except LookupError:
        raise NoPostgresql(f"it does not run as root, and there is no user {SERVICE_USER}") from None
    return ["setpriv", f"--reuid={SERVICE_USER}", f"--regid={SERVICE_USER}", "--clear-groups"]


def _run(*command: str) -> None:
    # Its programs look at the folder they are started in; the server keeps what it inherits, a pipe would never end.
    done = subprocess.run(  # noqa: S603 -- programs of ours
        command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise NoPostgresql(f"{Path(command[-1]).name}: {' '.join(command)} ended with code {done.returncode}")
