import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from keeper.files import from_json, to_json, write_through
from keeper.folder import KeptFolder, UnusableFolder

from tests.docker.keeping import FailingReader

KEEPER = Path(__file__).parents[2] / "docker" / "localstack" / "keeper"
HOLD = "import sys; from pathlib import Path; from keeper.folder import KeptFolder as F; F.open(Path(sys.argv[1])); "


def test_a_folder_in_use_is_refused_with_the_way_out(folder: KeptFolder):
    with pytest.raises(UnusableFolder, match="Another LocalStack is using .*KEEPER_DIR"):
        KeptFolder.open(folder.root)


def test_a_folder_whose_process_was_killed_can_be_used(tmp_path: Path):
    command = [sys.executable, "-c", HOLD + "print('held', flush=True); sys.stdin.read()", str(tmp_path)]
    with subprocess.Popen(command, cwd=KEEPER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(UnusableFolder):
            KeptFolder.open(tmp_path)
        holder.kill()

    KeptFolder.open(tmp_path).close()


@pytest.mark.parametrize("layout", ['{"layout": 2}', "{}", "torn"])
def test_a_folder_of_another_layout_is_refused_and_left_as_it_is(folder: KeptFolder, layout: str):
    folder.close()
    (folder.root / "layout.json").write_text(layout)
    torn = folder.root / "new" / "torn"
    torn.touch()

    with pytest.raises(UnusableFolder, match="Nothing was changed"):
        KeptFolder.open(folder.root)

    assert torn.exists()


def test_a_refused_folder_is_not_locked(folder: KeptFolder):
    folder.close()
    (folder.root / "layout.json").write_text('{"layout": 2}')
    for _ in range(2):
        with pytest.raises(UnusableFolder, match="layout 2"):
            KeptFolder.open(folder.root)


def test_a_path_that_is_no_folder_is_refused_by_name(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(UnusableFolder, match="file cannot be used"):
        KeptFolder.open(tmp_path / "file")


def test_torn_files_are_gone_at_the_next_start(folder: KeptFolder):
    torn = folder.name_new()
    torn.write_bytes(b"ha")
    folder.close()

    KeptFolder.open(folder.root)

    assert not torn.exists()


def test_a_record_that_cannot_be_written_leaves_the_one_before(folder: KeptFolder):
    path = folder.root / "stacks" / "a.json"
    folder.write_record(path, {"a": 1})

    with pytest.raises(TypeError):
        folder.write_record(path, {"a": object()})

    assert from_json(path.read_bytes()) == {"a": 1}


def test_a_file_that_cannot_be_written_in_full_is_not_there(tmp_path: Path):
    with pytest.raises(OSError, match="No space left"):
        write_through(tmp_path / "a", FailingReader())

    assert list(tmp_path.iterdir()) == []


def test_dates_survive_json():
    record = {"at": datetime(2026, 11, 22, tzinfo=UTC), "deep": [{"at": datetime(2026, 1, 1, 1, 2, 3, 4)}]}

    assert from_json(to_json(record)) == record
