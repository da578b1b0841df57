import json
import os
import resource
import signal
import subprocess
import sys

import pytest

from data_prep.errors import InputError
from data_prep.files import replacing, require_destination, sweep, write_json, write_text


def test_the_old_file_survives_a_failed_write(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(ValueError, match="stop"), replacing(target) as temporary:
        temporary.write_text("half")
        raise ValueError("stop")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_json_refuses_nan_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []
    write_json(tmp_path / "b.json", {"x": None})
    assert json.loads((tmp_path / "b.json").read_text()) == {"x": None}


def test_a_file_size_limit_is_one_line_and_leaves_nothing(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(InputError, match="larger than this system allows"):
            write_text(tmp_path / "big.txt", "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_below_a_file_is_named(tmp_path):
    write_text(tmp_path / "file", "")
    with pytest.raises(
        InputError, match=r"below\.txt: could not be written: part of this path is a file, not a folder"
    ):
        write_text(tmp_path / "file" / "below.txt", "x")
    with pytest.raises(InputError, match="the name is too long; choose a shorter one"):
        write_text(tmp_path / ("x" * 250), "x")


def test_a_place_below_a_file_is_refused_before_the_work(tmp_path):
    write_text(tmp_path / "file", "")
    with pytest.raises(InputError, match=r"below/x\.txt: could not be written: part of this path is a file"):
        require_destination(tmp_path / "file" / "below" / "x.txt")
    require_destination(tmp_path / "new" / "folder" / "x.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_place_is_refused_before_the_work(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="this place is not writable; choose another"):
        require_destination(tmp_path / "x.txt")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="a file system in which nobody can make a file")
def test_an_impossible_place_is_said_in_words():
    with pytest.raises(InputError) as caught:
        write_text("/proc/x.txt", "x")
    assert str(caught.value) == "/proc/x.txt: could not be written: no file can be made in this place; choose another"


def test_a_folder_is_no_destination(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (".", "..", tmp_path, ""):
        with pytest.raises(InputError, match="is a folder; name a file"), replacing(path):
            pytest.fail("the block must not begin")
    write_text("there", "old")
    require_destination("there")
    with pytest.raises(InputError, match="there: exists already; choose another name or add --overwrite"):
        require_destination("there", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


_KILLED = """
import os, signal, sys
from data_prep.files import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_run_removes_what_a_killed_one_left(tmp_path):
    target = tmp_path / "a[1].b.h5"
    done = subprocess.run([sys.executable, "-c", _KILLED, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    [stray] = tmp_path.iterdir()
    assert stray.match(".a?1?.b.*.tmp.h5")
    others = [
        f".a[1].b.{os.getppid()}.tmp.h5",
        ".a[1].b.mine.tmp.h5",
        ".other.1.tmp.h5",
        stray.name.replace(".b.", ".c."),
    ]
    for name in others:
        (tmp_path / name).write_text("kept")
    write_text(target, "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([target.name, *others])
    assert target.read_text() == "whole"


def test_sweep_spares_whoever_still_writes(tmp_path):
    with replacing(tmp_path / "a.h5") as temporary:
        temporary.write_text("half")
        sweep(tmp_path / "a.h5")
        assert temporary.exists()
    sweep(tmp_path / "nowhere" / "a.h5")


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_not_durable_does_not_wait_for_the_disk(tmp_path, monkeypatch, durable):
    flushed = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    write_text(tmp_path / "a", "whole", durable)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["whole"]
    assert len(flushed) == durable
