import pytest

from mta.run_folder import RunFolder
from mta.training import loop


@pytest.mark.parametrize(
    ("missing", "written"), [((), 1), (("tensorboard",), 0), (("tensorflow",), 0)], ids=["all", "no board", "JAX alone"]
)
def test_event_files_are_written_where_what_writes_them_is_installed(missing, written, monkeypatch, tmp_path):
    monkeypatch.setattr(loop, "find_spec", lambda name: None if name in missing else object())
    assert len(loop._tensorboard(RunFolder(tmp_path))) == written
