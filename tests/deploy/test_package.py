import io
import os
import zipfile

import pytest

from deploy.errors import DeployError
from deploy.package import build_package


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "predictor"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "handler.pyc").write_bytes(b"compiled")
    (folder / "handler.py").write_text("def handle(): ...")
    (folder / "limits.json").write_text("{}")
    return folder


def test_package_built_twice_is_the_same_to_the_byte(source):
    first = build_package(source)
    os.utime(source / "handler.py", (0, 0))

    second = build_package(source)

    assert (first.key, first.body) == (second.key, second.body)


def test_package_with_changed_code_gets_another_key(source):
    before = build_package(source)
    (source / "handler.py").write_text("def handle(): return 1")

    after = build_package(source)

    assert after.key != before.key


def test_package_with_a_moved_line_between_files_gets_another_key(source):
    (source / "a.py").write_text("x")
    (source / "b.py").write_text("")
    before = build_package(source)
    (source / "a.py").write_text("")
    (source / "b.py").write_text("x")

    after = build_package(source)

    assert after.key != before.key


def test_package_holds_the_sources_under_the_package_name_and_no_leftovers(source):
    package = build_package(source)

    names = zipfile.ZipFile(io.BytesIO(package.body)).namelist()
    assert names == ["predictor/handler.py", "predictor/limits.json"]


def test_package_of_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DeployError, match="no code to package"):
        build_package(tmp_path)
