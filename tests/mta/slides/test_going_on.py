"""What is done is skipped, what was cut short is done anew."""

import json
import shutil

import pytest
from PIL import Image

from data_prep.errors import InputError
from mta.slides import SlideSettings, cohort, predict_slides, task
from tests.mta.slides.conftest import OVERLAPPING
from tests.mta.slides.samples import FILES, digests, section

pytestmark = pytest.mark.usefixtures("hastened")


def test_interrupted_anywhere_and_run_again_it_is_the_same_bit_for_bit(
    scaled_run, slides, done, tmp_path, monkeypatch, counted
):
    out = tmp_path / "out"
    for place, turn in (("answers", 3), ("write_heatmap", 2), ("finish", 1)):
        with monkeypatch.context() as patch:
            calls, work = [], getattr(task, place)

            def stop(*values, calls=calls, work=work, turn=turn):
                calls.append(1)
                if len(calls) == turn:
                    raise KeyboardInterrupt
                return work(*values)

            patch.setattr(task, place, stop)
            with pytest.raises(KeyboardInterrupt):
                predict_slides(scaled_run, slides, out, OVERLAPPING, quiet=True)
        assert not (out / "summary.csv").exists()
        if place == "answers":
            assert not (out / "a" / "state.json").exists()
    predict_slides(scaled_run, slides, out, OVERLAPPING, quiet=True)
    assert digests(out) == digests(done[0])
    assert counted == ["a", "a", "b", "b", "b"]


def test_what_is_done_is_left_alone_until_something_changes(scaled_run, slides, done, tmp_path, counted):
    out = tmp_path / "out"
    shutil.copytree(done[0], out)
    moved = shutil.copy(slides[0], tmp_path / "a.tif")  # the same slide in another place, with another time
    table = predict_slides(scaled_run, [moved, slides[1]], out, OVERLAPPING, quiet=True)
    assert counted == []
    assert table["probability_mean"].tolist() == done[1]["probability_mean"].tolist()
    (out / "b" / "patches.csv").write_text("x,y\n")
    predict_slides(scaled_run, slides, out, OVERLAPPING, quiet=True)
    assert counted == ["b"]
    predict_slides(scaled_run, slides[:1], out, SlideSettings(stride=16, threshold=0.3), quiet=True)
    assert counted == ["b", "a"]
    other = tmp_path / "run"
    shutil.copytree(scaled_run, other)
    shutil.copy(other / "last.keras", other / "best.keras")
    predict_slides(other, slides[1:], out, OVERLAPPING, quiet=True)
    assert counted == ["b", "a"] + (["b"] if digests(other)["best.keras"] != digests(scaled_run)["best.keras"] else [])
    Image.fromarray(section(5)).save(tmp_path / "a.png")
    (out / "a" / "state.json").write_text("[" * 5000)
    assert predict_slides(scaled_run, slides[:1], out, OVERLAPPING, quiet=True)["status"].tolist() == ["done"]


def test_files_of_another_model_go(scaled_run, slides, done, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(done[0], out)
    state = json.loads((out / "a" / "state.json").read_text())
    (out / "a" / "texture.png").write_bytes(b"of a concept that this model does not have")
    (out / "keep.txt").write_text("")
    state["files"] |= {"texture.png": "", "../keep.txt": ""}
    (out / "a" / "state.json").write_text(json.dumps(state))
    predict_slides(scaled_run, slides[:1], out, OVERLAPPING, quiet=True)
    assert set(digests(out / "a")) == FILES
    assert (out / "keep.txt").exists()


def test_two_runs_on_one_folder_do_not_meet(scaled_run, slides, tmp_path, monkeypatch):
    work = cohort.predict_slide

    def another(job, shared):
        with pytest.raises(InputError, match="another run is at work here"):
            predict_slides(scaled_run, slides[:1], tmp_path / "out", quiet=True)
        return work(job, shared)

    monkeypatch.setattr(cohort, "predict_slide", another)
    assert predict_slides(scaled_run, slides[:1], tmp_path / "out", quiet=True)["status"].tolist() == ["done"]
