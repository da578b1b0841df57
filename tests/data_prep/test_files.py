import json
import resource
import signal

import pytest

from data_prep.errors import InputError
from data_prep.files import replacing, write_json, write_text


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
    with pytest.raises(InputError, match="could not be written"):
        write_text(tmp_path / "file" / "below.txt", "x")
