"""Makes .venv and installs the pinned packages into it; nothing to do takes no time.

    python3 deploy/bootstrap.py local     what `make up` needs
    python3 deploy/bootstrap.py test      what `make test` and `make lint` need: all of local, and more

Both compile what batches are faster with, where there is a compiler.

PORTICO_EXTRAS="lightgbm xgboost" adds these to either, and later runs keep them without being told. Wheels of one's own
packages in lambda_docker/wheels are added too.

Standard library only, and written for Python 3.7, so that an old Python can find the right one or say which is needed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # spelled so because typing is slow to import
    from collections.abc import Iterable, Sequence

    Version = tuple[int, int]

OLDEST, NEWEST = (3, 11), (3, 13)
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3", "python")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = "portico-installed"
EXTRAS_STAMP = "portico-extras"


class Refusal(Exception):
    """A sentence for the person at the terminal, with the command that mends it."""


def main(arguments: list[str]) -> int:
    started = time.time()
    wanted = arguments[0] if arguments else "local"
    try:
        before = recorded_extras(VENV)
        extras = find_extras(ROOT, os.environ.get("PORTICO_EXTRAS", ""), before)
        if is_installed(VENV, ROOT, wanted) and extras == before:
            compile_kernels(venv_python(VENV), ROOT)
            return 0
        python = ensure_venv(VENV)
        if not is_installed(VENV, ROOT, wanted):
            install(python, VENV, ROOT, wanted)
        install_extras(python, VENV, ROOT, extras)
        compile_kernels(python, ROOT)
    except Refusal as refusal:
        sys.stderr.write(f"\nError: {refusal}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. The same command goes on from here.\n")
        return 130
    say(f"Installed in {time.time() - started:.0f} s.")
    return 0


def is_installed(venv: str, root: str, wanted: str) -> bool:
    """Whether the stamp says that these very requirements, or those of test, are in."""
    accepted = {fingerprint(root, name) for name in {wanted, "test"}}
    try:
        with open(os.path.join(venv, STAMP)) as stamp:
            return stamp.read().strip() in accepted and os.path.exists(venv_python(venv))
    except OSError:
        return False


def fingerprint(root: str, wanted: str) -> str:
    """Changes with the requirements; the Python is part of the venv, whose stamp goes when it is made anew."""
    with open(requirements_file(root, wanted), "rb") as requirements:
        return f"{wanted} {hashlib.sha256(requirements.read()).hexdigest()}"


def requirements_file(root: str, wanted: str) -> str:
    return os.path.join(root, "requirements", wanted + ".txt")


def venv_python(venv: str) -> str:
    return os.path.join(venv, "bin", "python")


def ensure_venv(venv: str) -> str:
    """The venv's interpreter, in a venv that works: a broken or outdated one is made again."""
    python = venv_python(venv)
    if is_supported(version_of(python)) and has_module(python, "pip"):
        return python
    base = find_interpreter()
    if not has_module(base, "ensurepip") or not has_module(base, "venv"):
        raise Refusal(explain_missing_venv(version_of(base)))
    say(f"Making .venv with Python {spell(version_of(base))} …")
    answer = subprocess.run([base, "-m", "venv", "--clear", venv], capture_output=True, text=True)  # noqa: S603
    if answer.returncode != 0:
        reason = last_line(answer.stderr) or last_line(answer.stdout)
        raise Refusal(f"The virtual environment could not be made in {venv}: {reason}")
    return python


def find_interpreter(candidates: Sequence[str] = CANDIDATES) -> str:
    """The newest supported Python on the PATH, or the one that PORTICO_PYTHON names.

    Raises: Refusal: there is none; says which were found
    """
    found, named = [], os.environ.get("PORTICO_PYTHON")
    for name in [named] if named else candidates:
        path = shutil.which(name)
        version = version_of(path) if path else None
        if path and is_supported(version):
            return path
        if version:
            found.append(f"{name} is {spell(version)}")
    there = f" Found: {', '.join(found)}." if found else ""
    raise Refusal(
        f"Portico needs Python 3.11, 3.12 or 3.13.{there} "
        "Install one, for instance: sudo apt install python3.13 python3.13-venv"
    )


def is_supported(version: Version | None) -> bool:
    return version is not None and OLDEST <= version <= NEWEST


def version_of(python: str) -> Version | None:
    """(3, 12), or None where there is no Python that starts. A version manager's shim may exist and not start."""
    if not os.path.exists(python):
        return None
    try:
        answer = subprocess.run(  # noqa: S603
            [python, "-c", "import sys; print(sys.version_info[0], sys.version_info[1])"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        major, minor = answer.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def has_module(python: str, name: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0  # noqa: S603


def explain_missing_venv(version: Version | None) -> str:
    return (
        f"Python {spell(version)} is here without its venv module. "
        f"Install it and run the same command again: sudo apt install python{spell(version)}-venv"
    )


def spell(version: Version | None) -> str:
    return ".".join(map(str, version or ()))


def install(python: str, venv: str, root: str, wanted: str) -> None:
    """pip, with one moving line instead of its pages; what is already in is not fetched again.

    Raises: Refusal: pip failed; says why as far as that can be told
    """
    stamp = os.path.join(venv, STAMP)
    if os.path.exists(stamp):
        os.remove(stamp)  # from here until the end the venv is between two states
    file = requirements_file(root, wanted)
    total = count_packages(file)
    say(f"Installing {total} packages into .venv …")
    # --no-deps: the file is complete, and resolving it again takes longer than installing it.
    command = [python, "-m", "pip", "install", "--require-hashes", "--no-deps", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar", "off", "-r", file]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    said = show_progress(process.stdout or (), total)
    if process.wait() != 0:
        raise Refusal(explain_failure(said))
    with open(stamp, "w") as handle:
        handle.write(fingerprint(root, wanted) + "\n")


def compile_kernels(python: str, root: str) -> None:
    """What batches are faster with, made once; without a compiler they are slower, and a line says so."""
    build = os.path.join(root, "lambda_docker", "predictor", "native", "build.py")
    if subprocess.run([python, build]).returncode != 0:  # noqa: S603
        say("No C++17 compiler here: batches take two to four times as long. For a faster one: sudo apt install g++")


def recorded_extras(venv: str) -> dict[str, str]:
    """What was added to the venv: file, as from the repository's root, and its checksum then."""
    try:
        with open(os.path.join(venv, EXTRAS_STAMP)) as stamp:
            return {name: checksum for checksum, name in (line.rstrip("\n").split(" ", 1) for line in stamp)}
    except (OSError, ValueError):
        return {}


def find_extras(root: str, named: str, before: Iterable[str]) -> dict[str, str]:
    """What is to be in the venv beside the requirements, as in recorded_extras: the extras that are named or were
    added before, and all wheels.

    Raises: Refusal: an extra is named that there is not
    """
    folder, wheels = os.path.join("lambda_docker", "extras"), os.path.join("lambda_docker", "wheels")
    locks = {name[:-4]: os.path.join(folder, name) for name in list_folder(root, folder) if name.endswith(".txt")}
    for name in named.split():
        if name not in locks:
            raise Refusal(f"There is no extra '{name}'. PORTICO_EXTRAS may name: {', '.join(sorted(locks))}.")
    files = [lock for name, lock in locks.items() if name in named.split() or lock in before]
    files += [os.path.join(wheels, name) for name in list_folder(root, wheels) if name.endswith(".whl")]
    found = {}
    for file in sorted(files):
        with open(os.path.join(root, file), "rb") as content:
            found[file] = hashlib.sha256(content.read()).hexdigest()
    return found


def list_folder(root: str, folder: str) -> list[str]:
    path = os.path.join(root, folder)
    return os.listdir(path) if os.path.isdir(path) else []


def install_extras(python: str, venv: str, root: str, extras: dict[str, str]) -> None:
    """Install those that are not in, or not as they are now. Raises: Refusal: pip failed."""
    done = {file: checksum for file, checksum in recorded_extras(venv).items() if file in extras}
    record_extras(venv, done)
    for file, checksum in extras.items():
        if done.get(file) == checksum:
            continue
        say(f"Installing {os.path.splitext(os.path.basename(file))[0]} into .venv …")
        # A wheel may have been built again under the version that is in already.
        what = ["--force-reinstall"] if file.endswith(".whl") else ["--require-hashes", "-r"]
        command = [python, "-m", "pip", "install", "--no-deps", "--disable-pip-version-check", "--no-input", *what]
        answer = subprocess.run(  # noqa: S603
            [*command, os.path.join(root, file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if answer.returncode != 0:
            raise Refusal(explain_failure(answer.stdout.splitlines()))
        done[file] = checksum
        record_extras(venv, done)


def record_extras(venv: str, done: dict[str, str]) -> None:
    with open(os.path.join(venv, EXTRAS_STAMP), "w") as stamp:
        stamp.writelines(f"{checksum} {file}\n" for file, checksum in sorted(done.items()))


def count_packages(file: str) -> int:
    with open(file) as requirements:
        return sum(1 for line in requirements if re.match(r"[A-Za-z0-9]", line))


def show_progress(lines: Iterable[str], total: int) -> list[str]:
    """Returns: the last lines of what pip said."""
    said: list[str] = []
    seen, is_terminal = 0, sys.stdout.isatty()
    for line in lines:
        said = (said + [line.rstrip()])[-30:]
        name = re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)", line)
        if name:
            seen += 1
            if is_terminal:
                sys.stdout.write(f"\r\033[K  {seen}/{total}  {name.group(1)}")
            elif seen % 20 == 0:
                sys.stdout.write(f"  {seen}/{total}\n")
        elif line.startswith("Installing collected") and is_terminal:
            sys.stdout.write("\r\033[K  unpacking …")
        sys.stdout.flush()
    if is_terminal:
        sys.stdout.write("\r\033[K")
    return said


def explain_failure(said: list[str]) -> str:
    text = "\n".join(said)
    if re.search(
        r"NewConnectionError|Temporary failure|Name or service not known|ConnectTimeout|ProxyError|getaddrinfo", text
    ):
        return (
            "The packages could not be fetched: there is no connection to the package index. "
            "Check the network, then run the same command again; it goes on from here."
        )
    if "No space left" in text:
        return "The disk is full. Make about 2 GB of room, then run the same command again."
    if "DO NOT MATCH THE HASHES" in text:
        return "A package is not the one that was pinned (its hash differs). Do not install it; ask who keeps Portico."
    return "The packages could not be installed. pip ended with:\n" + "\n".join(said[-12:])


def last_line(text: str) -> str:
    lines = [line for line in (text or "").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
