"""The cache of results: what is used again, what is not, and entries and folders that cannot be trusted."""

import errno
import json
import os
import pickle
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from handoff.experiments.execution import result_cache
from handoff.experiments.execution.result_cache import ResultCache, StudyInputs, cache_folder
from handoff.protocol.mobile_node import MobileNodeController
from handoff.protocol.procedures import PROCEDURES
from handoff.scenario.scenario import Scenario
from handoff.simulation.study import compile_programs, run_study
from handoff.workload.build import build_setup
from tests.unit.experiments.execution.short_tasks import walk_scenario

NAMES = ["mipv4", "sync-mipv4"]


class Study:
    """A study of two short runs with a cache; ``ran`` has the procedures that ran, and ``messages`` those of the cache."""

    def __init__(self, folder, procedures=NAMES, seed=3, detail=False, series_ps=None, **tables):
        folder.mkdir(exist_ok=True)
        self.scenario = Scenario.model_validate(json.loads(walk_scenario(folder)) | tables)
        self.path, self.seed, self.detail, self.series_ps = folder / "walk.toml", seed, detail, series_ps
        self.setup = build_setup(self.scenario, self.path, seed)
        self.procedures, self.ran, self.messages = procedures, [], []

    def run(self, **options):
        """Run the study, and return its results."""
        self.ran, self.messages = [], []
        inputs = StudyInputs.of(self.scenario, self.path)
        cache = ResultCache(inputs, self.seed, self.detail, self.series_ps, self.messages.append)

        def run(programs):
            self.ran += [program.procedure.name for program in programs]
            return run_study(self.setup, programs, seed=self.seed, detail=self.detail, series_ps=self.series_ps)

        return cache.run(compile_programs(self.setup, self.procedures), run, **options)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return the folder of the entries."""
    monkeypatch.setenv("HANDOFF_CACHE", str(tmp_path / "cache"))
    return cache_folder()


def figures(runs):
    """Return the figures and times of runs."""
    return [repr((run.procedure, run.result.fingerprint, run.wall_seconds, run.summary())) for run in runs]


def test_a_study_without_changes_runs_once(tmp_path, folder):
    study = Study(tmp_path)
    first = study.run()
    assert (study.ran, study.messages) == (NAMES, ["0 of 2 from the cache"])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [p.stat().st_mode & 0o777 for p in folder.iterdir()] == [0o600] * 2
    again = study.run()
    assert (study.ran, study.messages) == ([], ["2 of 2 from the cache"])
    assert figures(again) == figures(first)


def test_only_missing_procedures_run_and_the_order_is_that_of_the_study(tmp_path):
    alone = Study(tmp_path, ["mipv4"]).run()
    study = Study(tmp_path, ["sync-mipv4", "mipv4", "mipv4-bicast"])
    runs = study.run()
    assert study.ran == ["sync-mipv4", "mipv4-bicast"]
    assert study.messages == ["1 of 3 from the cache"]
    assert [run.procedure for run in runs] == study.procedures
    assert figures(runs[1:2]) == figures(alone)


CHANGES = {
    "seed": {"seed": 4},
    "detail": {"detail": True},
    "series": {"series_ps": 10**12},
    "scenario": {"duration": "2001ms"},
    "option": {"options": {"bicast": "1s"}},
    "rows": {"procedures": [replace(PROCEDURES["mipv4-bicast"], name=n) for n in NAMES]},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_each_part_of_a_study_decides_its_results(tmp_path, change):
    Study(tmp_path).run()
    other = Study(tmp_path, **change)
    other.run()
    assert (other.ran, other.messages) == (NAMES, ["0 of 2 from the cache"])
    other.run()
    assert other.ran == []


def test_the_content_of_an_input_file_decides_the_results(tmp_path):
    study = Study(tmp_path)
    study.run()
    file = tmp_path / "walk.csv"
    status = file.stat()
    file.write_text(file.read_text().replace("0.9,1.5", "0.9,1.4"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    study.run()
    assert study.ran == NAMES


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [(result_cache, "program_digests", lambda: ["other code"]), (np, "__version__", "0.1")],
    ids=["code", "numpy"],
)
def test_the_code_decides_the_results(tmp_path, monkeypatch, module, name, value):
    study = Study(tmp_path)
    study.run()
    monkeypatch.setattr(module, name, value)
    study.run()
    assert study.ran == NAMES


def test_places_and_targets_do_not_decide_the_results(tmp_path):
    Study(tmp_path / "one").run()
    targets = Study(tmp_path / "two", slo={"targets": ["loss_ratio<=1%"]}, sweep={"vary": {"options.bicast": ["0s", "1s"]}})
    targets.run()
    assert targets.ran == []


def test_the_same_values_in_other_units_are_the_same_scenario(tmp_path):
    Study(tmp_path).run()
    study = Study(tmp_path, duration="2000ms")
    study.run()
    assert study.ran == []


def test_procedures_with_classes_of_a_user_always_run(tmp_path, folder):
    class Own(MobileNodeController):
        pass

    study = Study(tmp_path, [replace(PROCEDURES["mipv4"], name="own", mobile_node=Own), "sync-mipv4"])
    for ran in (["own", "sync-mipv4"], ["own"]):
        study.run()
        assert study.ran == ran
    assert len(list(folder.iterdir())) == 1


def test_a_file_that_changes_during_a_study_leaves_no_entry(tmp_path, folder, monkeypatch):
    study = Study(tmp_path)
    unchanged = iter([True, False])
    monkeypatch.setattr(StudyInputs, "are_unchanged", lambda self: next(unchanged))
    assert len(study.run()) == 2
    assert list(folder.iterdir()) == []
    unchanged = iter([False])  # while the study was built
    assert len(study.run()) == 2
    assert list(folder.iterdir()) == []


def test_incomplete_and_missing_runs_are_not_stored(tmp_path, folder):
    study = Study(tmp_path)
    cache = ResultCache(StudyInputs.of(study.scenario, study.path), 3, False, None, study.messages.append)
    programs = compile_programs(study.setup, NAMES)
    (stopped,) = cache.run(programs, lambda ps: run_study(study.setup, ps, progress=lambda name: lambda at: False))
    assert stopped.interrupted_ps is not None
    assert list(folder.iterdir()) == []


def test_a_study_that_does_not_reuse_results_stores_them(tmp_path):
    study = Study(tmp_path)
    for _ in range(2):
        study.run(reuse=False)
        assert (study.ran, study.messages) == (NAMES, [])
    study.run()
    assert study.ran == []


# -- damage and attacks -------------------------------------------------------------------------------------------------------


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def swap(path):
    """Put the entry of the other procedure in the place of this one."""
    other = next(p for p in path.parent.iterdir() if p != path)
    path.write_bytes(other.read_bytes())


def pack(content):
    """Return a function that puts other content, with a valid digest, into an entry."""

    def write(path):
        handle = os.open(path.parent, os.O_RDONLY)
        result_cache._write_entry(handle, bytes.fromhex(path.name), content)
        os.close(handle)

    return write


def link(path):
    """Move the entry away, and leave a link to it."""
    path.rename(path.parent.parent / "moved")
    path.symlink_to(path.parent.parent / "moved")


def pipe(path):
    path.unlink()
    os.mkfifo(path)


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "one bit": flip,
    "another procedure": swap,
    "pickle": lambda path: path.write_bytes(pickle.dumps(print)),
    "packed pickle": pack(pickle.dumps(print)),
    "no result": pack((2).to_bytes(8, "little") + b"{}"),
    "link": link,
    "pipe": pipe,
    "writable by others": lambda path: path.chmod(0o606),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_entry_costs_a_run(tmp_path, folder, damage):
    study = Study(tmp_path)
    expected = [run.summary() for run in study.run()]
    entry = sorted(folder.iterdir())[0]
    damage(entry)
    runs = study.run()
    assert [run.summary() for run in runs] == expected
    assert len(study.ran) == 1
    assert study.messages[0].startswith(f"{study.ran[0]} runs again: its entry in the cache cannot be used: ")
    assert study.messages[1] == "1 of 2 from the cache"
    study.run()
    assert study.ran == []


def test_an_entry_that_grows_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    handle, key = os.open(tmp_path, os.O_RDONLY), bytes(32)
    result_cache._write_entry(handle, key, bytes(10**6))
    assert (tmp_path / key.hex()).stat().st_size < 10**5
    monkeypatch.setattr(result_cache, "MAX_RESULT_BYTES", 10**5)
    with pytest.raises(ValueError, match="incomplete"):
        result_cache._read_entry(handle, key)
    os.close(handle)


def test_a_folder_in_the_place_of_an_entry_costs_a_run_each_time(tmp_path, folder):
    study = Study(tmp_path)
    study.run()
    entry = sorted(folder.iterdir())[0]
    entry.unlink()
    entry.mkdir()
    for _ in range(2):
        assert len(study.run()) == 2
        assert len(study.ran) == 1
    assert "is not in the cache" in study.messages[-1]


def test_an_entry_under_another_key_is_not_used(tmp_path, folder):
    study = Study(tmp_path, ["mipv4"])
    study.run()
    (entry,) = folder.iterdir()
    other = Study(tmp_path, ["mipv4"], seed=4)
    other.run()
    (of_other,) = [path for path in folder.iterdir() if path != entry]
    of_other.write_bytes(entry.read_bytes())
    other.run()
    assert other.ran == ["mipv4"]
    assert other.messages[0].endswith("cannot be used: damaged")


def shared(folder):
    folder.parent.mkdir()
    folder.mkdir()
    folder.chmod(0o777)


def linked(folder):
    folder.parent.mkdir()
    (folder.parent / "elsewhere").mkdir(0o700)
    folder.symlink_to(folder.parent / "elsewhere")


def occupied(folder):
    folder.parent.write_text("a file")


@pytest.mark.parametrize("spoil", [shared, linked, occupied])
def test_without_a_private_folder_there_is_no_cache(tmp_path, folder, spoil):
    spoil(folder)
    study = Study(tmp_path)
    for _ in range(2):
        assert len(study.run()) == 2
        assert study.ran == NAMES
        assert [message.partition(":")[0] for message in study.messages] == ["no cache"]
    assert not folder.is_dir() or list(folder.iterdir()) == []


def test_files_of_another_user_are_not_used(tmp_path, monkeypatch):
    study = Study(tmp_path)
    study.run()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    study.run()
    assert study.ran == NAMES


def test_a_full_disk_costs_the_entries(tmp_path, folder, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(result_cache.os, "replace", fail)
    study = Study(tmp_path)
    assert len(study.run()) == 2
    assert study.messages[1:] == [f"{name} is not in the cache: [Errno 28] No space left on device" for name in NAMES]
    assert list(folder.iterdir()) == []


def test_the_oldest_entries_are_removed(tmp_path, folder, monkeypatch):
    study = Study(tmp_path, ["mipv4", "sync-mipv4", "mipv4-bicast"])
    study.run()
    sizes = {p.name: p.stat().st_size for p in folder.iterdir()}
    for name in sizes:  # all are a minute old
        os.utime(folder / name, ns=(0, folder.stat().st_mtime_ns - 60 * 10**9))
    Study(tmp_path, ["sync-mipv4"]).run()  # and one has been used
    (used,) = [p.name for p in folder.iterdir() if p.stat().st_mtime_ns > folder.stat().st_mtime_ns - 30 * 10**9]
    monkeypatch.setattr(result_cache, "MAX_CACHE_BYTES", 2 * max(sizes.values()) + 1000)
    Study(tmp_path, ["mipv6"]).run()
    left = {p.name for p in folder.iterdir()}
    assert used in left
    assert len(left) == 2
    assert left - set(sizes), "the new one"


def test_files_of_others_are_neither_counted_nor_removed(tmp_path, folder, monkeypatch):
    study = Study(tmp_path)
    study.run()
    names = {p.name for p in folder.iterdir()}
    (folder / "thesis.txt").write_bytes(bytes(10**6))
    (folder / "sub").mkdir()
    os.utime(folder / "thesis.txt", (0, 0))
    monkeypatch.setattr(result_cache, "MAX_CACHE_BYTES", 500_000)
    Study(tmp_path, ["mipv6"]).run()
    assert {p.name for p in folder.iterdir()} > names | {"thesis.txt", "sub"}


def test_a_shortage_of_memory_while_storing_costs_only_the_entry(tmp_path, folder, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("handoff.experiments.execution.result_encoding.encode_result", fail)
    study = Study(tmp_path)
    assert len(study.run()) == len(NAMES)
    assert list(folder.iterdir()) == []


def test_large_results_are_not_stored(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(result_cache, "MAX_RESULT_BYTES", 1000)
    study = Study(tmp_path)
    study.run()
    assert list(folder.iterdir()) == []
    assert all("bytes are more than 1,000" in message for message in study.messages[1:])


def test_two_writers_and_a_reader_see_complete_entries_only(tmp_path):
    """Each reading of the entry is one of the two contents; none is a mixture or a part of one."""
    handle, key, seen, end = os.open(tmp_path, os.O_RDONLY), bytes(32), set(), SimpleNamespace(reached=False)
    contents = [bytes([number]) * 10**5 for number in (1, 2)]
    result_cache._write_entry(handle, key, contents[0])

    def write(content):
        for _ in range(10):
            result_cache._write_entry(handle, key, content)

    def read():
        while not end.reached:
            seen.add(result_cache._read_entry(handle, key))

    writers, reader = [threading.Thread(target=write, args=[content]) for content in contents], threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    end.reached = True
    reader.join()
    os.close(handle)
    assert seen <= set(contents)
    assert [p.name for p in tmp_path.iterdir()] == [key.hex()]
