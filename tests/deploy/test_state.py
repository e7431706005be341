import stat

import pytest

from deploy.errors import DeployError
from deploy.state import StateFolder


@pytest.fixture
def state(tmp_path):
    return StateFolder(tmp_path / "state")


def test_folder_in_use_is_refused_with_who_uses_it_and_a_way_out(state):
    with (
        state.lock(),
        pytest.raises(DeployError, match=r"already running .*process \d+.*PORTICO_STATE_DIR"),
        state.lock(),
    ):
        pass


def test_folder_of_a_finished_run_can_be_used_again(state):
    with state.lock():
        pass

    with state.lock():
        assert (state.root / "lock").exists()


def test_secret_key_is_made_once_and_readable_by_its_owner_only(state):
    first = state.secret_key()

    assert state.secret_key() == first
    assert len(first) >= 50
    assert stat.S_IMODE((state.root / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_endpoint_from_a_damaged_file_is_none(state, content):
    state.root.mkdir()
    state.emulator_file.write_text(content)

    assert state.read_endpoint() is None


def test_folder_is_the_one_the_environment_names(monkeypatch, tmp_path):
    monkeypatch.setenv("PORTICO_STATE_DIR", str(tmp_path))

    assert StateFolder.from_environment().root == tmp_path
