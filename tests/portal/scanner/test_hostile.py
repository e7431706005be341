"""What must never pass: each file is refused with sentences, and nothing in it runs."""

import pytest

from portal.scanner.limits import MIB, Limits
from portal.scanner.run import scan_file
from portal.scanner.scan import scan
from tests.portal.scanner.families import CASES, FAMILIES
from tests.portal.scanner.hostile import CANARY, MALFORMED, OTHER_FILES, RUNNING

TIGHT = Limits(opcodes=100_000, uncompressed_bytes=32 * MIB, memory_bytes=512 * MIB, cpu_s=10)


def scan_bytes(folder, content, *, file_name="model.pkl", limits=TIGHT):
    path = folder / file_name
    path.write_bytes(content)
    return scan_file(path, limits=limits)


def is_sentence(words):
    return len(words) > 15 and words[0].isupper() and words.rstrip()[-1] in ".)" and "\n" not in words


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("family", "name"), CASES)
def test_scan_of_a_hostile_file_is_refused_with_sentences_and_runs_nothing(family, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model"
    path.write_bytes(FAMILIES[family][name]())

    report = scan(path, TIGHT)

    assert not report.ok
    assert all(is_sentence(words) for r in report.refusals for words in (r.what, r.why, r.remedy))
    assert sorted(path.name for path in tmp_path.rglob(f"*{CANARY}*")) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", FAMILIES)
def test_scan_in_the_child_process_refuses_the_first_of_each_family(family, tmp_path):
    content = next(iter(FAMILIES[family].values()))()

    report = scan_bytes(tmp_path, content)

    assert not report.ok


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_scan_of_another_kind_of_file_is_refused_by_its_name(kind, tmp_path):
    content, word = OTHER_FILES[kind]

    report = scan_bytes(tmp_path, content)

    assert [word in refusal.what for refusal in report.refusals] == [True]


def test_scan_of_a_command_says_what_it_could_do(tmp_path):
    content = RUNNING["os.system by REDUCE"]()

    report = scan_bytes(tmp_path, content)

    assert ".system, which is not a part of scikit-learn." in report.refusals[0].what
    assert "can run commands" in report.refusals[0].why


def test_scan_of_protocol_0_names_the_protocol(tmp_path):
    content = RUNNING["os.system in protocol 0"]()

    report = scan_bytes(tmp_path, content)

    assert "protocol 0 or 1" in report.refusals[0].what


def test_scan_of_several_unlisted_names_lists_them_all(tmp_path):
    content = b"\x80\x04cos\nsystem\n0cshutil\nrmtree\n0K\x01."

    report = scan_bytes(tmp_path, content)

    assert {"os.system", "shutil.rmtree"} <= set(report.globals)
    assert len(report.refusals) >= 2


def test_scan_beyond_the_wall_clock_is_refused(tmp_path):
    content = MALFORMED["opcode flood"]()

    report = scan_bytes(tmp_path, content, limits=Limits(wall_clock_s=0.001))

    assert "takes longer" in report.refusals[0].what


def test_scan_beyond_the_memory_is_refused(tmp_path):
    texts = b"(" + b"".join(b"X\x00\x00\x10\x00" + bytes(MIB) for _ in range(100)) + b"t."

    report = scan_bytes(tmp_path, b"\x80\x04" + texts, limits=Limits(memory_bytes=90 * MIB))

    assert not report.ok
    assert "memory" in report.refusals[0].what


def test_scan_beyond_the_processor_time_is_refused(tmp_path):
    content = b"\x80\x04" + b"N0" * 8_000_000 + b"N."

    report = scan_bytes(tmp_path, content, limits=Limits(cpu_s=1, opcodes=10**9))

    assert "more time" in report.refusals[0].what


def test_scan_of_a_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        scan_file(tmp_path / "nothing.pkl")
