"""bootstrap.py's decisions; a whole installation is what every `make test` does."""

import os
import sys
from types import SimpleNamespace

import pytest

from deploy import bootstrap


@pytest.fixture
def root(tmp_path):
    """A checkout with one requirement, and nothing installed."""
    (tmp_path / "requirements").mkdir()
    for name in ("local", "test"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(
            f"{name}-package==1 \\\n    --hash=sha256:00\n    # via x\n"
        )
    return tmp_path


@pytest.fixture
def interpreters(tmp_path, monkeypatch):
    """Puts named interpreters on an otherwise empty PATH, each of a version of its own (None: does not start)."""

    def put(**versions):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, version in versions.items():
            answer = f"echo {version}" if version else "exit 1"
            (folder / name.replace("_", ".")).write_text(f"#!/bin/sh\n{answer}\n")
            (folder / name.replace("_", ".")).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        monkeypatch.delenv("PORTICO_PYTHON", raising=False)

    return put


def install(root, name):
    """As if the installation had just ended well."""
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (root / ".venv" / bootstrap.STAMP).write_text(bootstrap.fingerprint(str(root), name))


def is_installed(root, name):
    return bootstrap.is_installed(str(root / ".venv"), str(root), name)


def test_nothing_installed_is_not_installed(root):
    assert not is_installed(root, "local")


def test_same_requirements_are_installed(root):
    install(root, "local")

    assert is_installed(root, "local")


def test_changed_requirements_are_not_installed(root):
    install(root, "local")
    (root / "requirements" / "local.txt").write_text("local-package==2")

    assert not is_installed(root, "local")


def test_test_packages_serve_for_local_but_not_the_other_way(root):
    install(root, "test")
    assert is_installed(root, "local")
    (root / ".venv" / bootstrap.STAMP).write_text(bootstrap.fingerprint(str(root), "local"))

    assert not is_installed(root, "test")


def test_interrupted_installation_is_not_installed(root, monkeypatch):
    install(root, "local")
    (root / "requirements" / "local.txt").write_text("local-package==2")

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap.subprocess, "Popen", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.install(sys.executable, str(root / ".venv"), str(root), "local")

    assert not (root / ".venv" / bootstrap.STAMP).exists()


def test_interpreter_is_the_newest_supported_one(interpreters):
    interpreters(python3_13="3 13", python3_12="3 12", python3="3 14")

    assert os.path.basename(bootstrap.find_interpreter()) == "python3.13"


def test_interpreter_that_does_not_start_is_passed_over(interpreters):
    interpreters(python3_13=None, python3_12="3 12")

    assert os.path.basename(bootstrap.find_interpreter()) == "python3.12"


def test_interpreter_named_by_the_person_is_used(interpreters, monkeypatch):
    interpreters(python3_13="3 13", python3_11="3 11")
    monkeypatch.setenv("PORTICO_PYTHON", "python3.11")

    assert os.path.basename(bootstrap.find_interpreter()) == "python3.11"


def test_no_supported_interpreter_is_refused_with_what_was_found_and_a_command(interpreters):
    interpreters(python3="3 9")

    with pytest.raises(
        bootstrap.Refusal, match="needs Python 3.11, 3.12 or 3.13. Found: python3 is 3.9. .*apt install"
    ):
        bootstrap.find_interpreter()


def test_missing_venv_module_is_refused_with_the_command_that_mends_it(root, monkeypatch):
    monkeypatch.setattr(bootstrap, "find_interpreter", lambda: "python3.12")
    monkeypatch.setattr(bootstrap, "version_of", lambda python: (3, 12) if python == "python3.12" else None)
    monkeypatch.setattr(bootstrap, "has_module", lambda python, name: name != "ensurepip")

    with pytest.raises(bootstrap.Refusal, match="without its venv module.*sudo apt install python3.12-venv$"):
        bootstrap.ensure_venv(str(root / ".venv"))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("NewConnectionError('...: Failed to establish a new connection')", "there is no connection"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "its hash differs"),
        ("ERROR: something new", "pip ended with:\nERROR: something new"),
    ],
)
def test_failed_installation_is_explained(said, sentence):
    assert sentence in bootstrap.explain_failure([said])


def test_packages_are_counted_without_hashes_and_comments(root):
    assert bootstrap.count_packages(str(root / "requirements" / "test.txt")) == 1


def test_progress_in_a_pipe_is_a_few_lines(capsys):
    bootstrap.show_progress([f"Collecting package{n}==1\n" for n in range(45)], 45)

    assert capsys.readouterr().out == "  20/45\n  40/45\n"


@pytest.fixture
def extras(root):
    """A checkout with two extras and a package of one's own."""
    for name, content in {"extras/one.txt": "one==1", "extras/two.txt": "two==1", "wheels/own-1.whl": "wheel"}.items():
        (root / "lambda_docker" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "lambda_docker" / name).write_text(content)
    (root / ".venv").mkdir()
    return root


@pytest.fixture
def pip(monkeypatch):
    """What pip was asked to install; it does nothing, well."""
    asked = []

    def run(command, **options):
        asked.append(os.path.basename(command[-1]))
        return SimpleNamespace(returncode=0, stdout="")

    monkeypatch.setattr(bootstrap.subprocess, "run", run)
    return asked


def add_extras(root, named):
    venv = str(root / ".venv")
    found = bootstrap.find_extras(str(root), named, bootstrap.recorded_extras(venv))
    bootstrap.install_extras(sys.executable, venv, str(root), found)


def test_named_extra_and_every_wheel_are_added(extras, pip):
    add_extras(extras, "two")

    assert pip == ["two.txt", "own-1.whl"]


def test_added_extra_stays_without_being_named_and_is_not_installed_again(extras, pip):
    add_extras(extras, "one two")
    pip.clear()

    add_extras(extras, "")

    assert pip == []
    assert len(bootstrap.recorded_extras(str(extras / ".venv"))) == 3


@pytest.mark.parametrize("changed", ["extras/one.txt", "wheels/own-1.whl"])
def test_extra_that_has_changed_is_installed_again(extras, pip, changed):
    add_extras(extras, "one")
    pip.clear()
    (extras / "lambda_docker" / changed).write_text("another")

    add_extras(extras, "")

    assert pip == [os.path.basename(changed)]


def test_wheel_that_was_taken_away_is_forgotten(extras, pip):
    add_extras(extras, "one")
    (extras / "lambda_docker" / "wheels" / "own-1.whl").unlink()

    add_extras(extras, "")

    assert [os.path.basename(name) for name in bootstrap.recorded_extras(str(extras / ".venv"))] == ["one.txt"]


def test_extra_that_there_is_not_is_refused_with_those_that_there_are(extras):
    with pytest.raises(bootstrap.Refusal, match="no extra 'three'. PORTICO_EXTRAS may name: one, two"):
        bootstrap.find_extras(str(extras), "one three", {})


def test_extra_that_fails_to_install_is_not_recorded(extras, monkeypatch):
    failed = SimpleNamespace(returncode=1, stdout="No space left on device")
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda command, **options: failed)

    with pytest.raises(bootstrap.Refusal, match="disk is full"):
        add_extras(extras, "one")

    assert bootstrap.recorded_extras(str(extras / ".venv")) == {}


def test_machine_without_a_compiler_is_told_what_it_costs(tmp_path, capsys):
    build = tmp_path / "lambda_docker" / "predictor" / "native" / "build.py"
    build.parent.mkdir(parents=True)
    build.write_text("import sys; sys.exit(1)")

    bootstrap.compile_kernels(sys.executable, str(tmp_path))

    assert "No C++17 compiler here" in capsys.readouterr().out


def test_kernels_that_are_there_are_not_spoken_of(tmp_path, capsys):
    build = tmp_path / "lambda_docker" / "predictor" / "native" / "build.py"
    build.parent.mkdir(parents=True)
    build.write_text("")

    bootstrap.compile_kernels(sys.executable, str(tmp_path))

    assert capsys.readouterr().out == ""
