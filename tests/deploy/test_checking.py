"""checkov: what it looks at, what it is not asked about, and the environment that it is in."""

import pytest

from deploy import checking
from deploy.template import TEMPLATE
from tests.deploy.reading import RESOURCES, WHOLE


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The commands that would have made the environment, which is in a folder of its own here."""
    commands = []
    pins = tmp_path / "checkov.txt"
    pins.write_text("checkov==1")
    monkeypatch.setattr(checking, "HOME", tmp_path / "home")
    monkeypatch.setattr(checking, "PINS", pins)
    monkeypatch.setattr(checking, "_run", lambda *command: commands.append(command))
    (tmp_path / "home").mkdir()
    return commands


def test_everything_is_made_of_the_template_s_parameters():
    assert set(checking.EVERYTHING) <= set(WHOLE["Parameters"])


def test_exception_of_a_resource_has_its_reason():
    skipped = [
        item for entry in RESOURCES.values() if "Metadata" in entry for item in entry["Metadata"]["checkov"]["skip"]
    ]

    assert skipped
    assert all(item["id"].startswith("CKV_") and item["comment"].endswith(".") for item in skipped)


def test_exception_of_all_resources_has_its_reason():
    lines = TEMPLATE.with_name("checkov.yaml").read_text().splitlines()
    exceptions = [position for position, line in enumerate(lines) if line.startswith("  - CKV_")]

    assert exceptions
    assert all(lines[position - 1].startswith("  # ") for position in exceptions)


def test_environment_is_made_once_from_pins_with_hashes(made):
    program = checking.install()
    checking.install()

    assert program == checking.HOME / "bin" / "checkov"
    assert len(made) == 2
    assert {"--require-hashes", str(checking.PINS)} <= set(made[1])


def test_environment_is_made_again_for_other_pins(made):
    checking.install()
    checking.PINS.write_text("checkov==2")
    checking.install()

    assert len(made) == 4


def test_environment_that_could_not_be_made_is_made_again(made, monkeypatch):
    def fail(*command):
        raise OSError("no network")

    with monkeypatch.context() as patched:
        patched.setattr(checking, "_run", fail)
        with pytest.raises(OSError, match="no network"):
            checking.install()
    checking.install()

    assert len(made) == 2
