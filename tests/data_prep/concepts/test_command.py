"""`python -m data_prep concepts`."""

import errno
import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pandas as pd
import pytest

from data_prep.cli.concepts import main
from data_prep.concepts import ORIGINAL, UNITS, measure
from data_prep.splits import write_split
from data_prep.store import KEY, StoreWriter, align_concepts, make_rows, open_concepts, open_patches, write_store
from data_prep.synthetic import CONCEPTS, SyntheticSpec, synthesize
from tests.data_prep.concepts.samples import nuclei, tissue


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("command") / "synthetic.h5"
    with StoreWriter(path, (64, 64), CONCEPTS, (64, 64)) as writer:
        for block in synthesize(SyntheticSpec(patches=40, patients=15, size=64, mpp=0.5)):
            writer.append(block.patches, block.rows, block.concepts, block.masks)
    return str(path)


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from data_prep.concepts import register\n"
        "@register('redness', 'gray levels', needs_nuclei=False)\n"
        "def redness(image, labels, mpp):\n    return image[..., 0].mean()\n"
    )
    return path


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main([*map(str, arguments), "--quiet"])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_a_table_beside_the_store(store, tmp_path, capsys):
    out = tmp_path / "concepts.h5"
    main([store, "--out", str(out), "--quiet"])
    said = capsys.readouterr().out
    assert f"{out}: {len(UNITS)} concepts of 40 patches, nuclei: masks of the store" in said
    assert "narea_um2" in said
    table = open_concepts(out)
    assert list(table) == list(UNITS)
    with open_patches(store) as patches:
        aligned = align_concepts(table, patches.rows)
        single = measure(patches[17], patches.read_masks(17, 18)[0], 0.5)
    assert aligned.iloc[17].to_dict() == single
    truth = open_concepts(store)
    np.testing.assert_allclose(aligned[["ncount", "narea", "narea_um2"]], truth[["ncount", "narea", "narea_um2"]])


def test_everything_at_once(store, plugin, tmp_path, capsys):
    out, text, original = (tmp_path / name for name in ("c.h5", "c.csv", "o.h5"))
    flags = ["--plugin", plugin, "--seed", "7", "--csv", text, "--original", original]
    main([store, "--out", str(out), "--quiet", *map(str, flags)])
    captured = capsys.readouterr()
    table = open_concepts(out)
    assert list(table)[-2:] == ["redness", "random"]
    with open_patches(store) as patches:
        training = (patches.rows["role"] == "train").to_numpy()
    assert (
        f"z-scores in the original's layout, by mean and deviation of the {training.sum()} training rows"
        in captured.out
    )
    read = open_concepts(text)
    pd.testing.assert_frame_equal(read, table, check_exact=True)
    assert read.attrs["units"] == table.attrs["units"]
    scores = open_concepts(original).loc[table.index, list(table)]
    expected = (table - table[training].mean()) / table[training].std(ddof=0)
    np.testing.assert_allclose(scores, expected, atol=1e-10)


def test_some_of_them(store, tmp_path, capsys):
    main([store, "--out", str(tmp_path / "c.h5"), "--only", "narea, random,full_contrast", "--quiet"])
    assert list(open_concepts(tmp_path / "c.h5")) == ["narea", "full_contrast", "random"]
    main([store, "--out", str(tmp_path / "d.h5"), "--only", "random", "--seed", "3", "--quiet"])
    assert list(open_concepts(tmp_path / "d.h5")) == ["random"]
    assert "1 concepts" not in capsys.readouterr().out


def test_what_says_nothing_is_said(tmp_path, capsys):
    rows = make_rows(3, {"source": "s", "patch_no": range(3)})
    images = np.stack([tissue(i) for i in range(3)])
    masks = np.stack([nuclei(i, count=9 + 5 * i) for i in range(3)])
    images[:] = images[0]
    write_store(tmp_path / "s.h5", images, rows, masks=masks)
    flags = ["--original", str(tmp_path / "o.h5"), "--quiet"]
    main([str(tmp_path / "s.h5"), "--out", str(tmp_path / "c.h5"), *flags])
    captured = capsys.readouterr()
    assert "no patch has a value of ndensity, narea_um2, narea_std_um2, nperimeter_um;" in captured.err
    assert "give --mpp" in captured.err
    assert "equal on all patches that have a value: full_contrast, full_correlation, hematoxylin_mean" in captured.err
    assert "hematoxylin_entropy, colorfulness\n" in captured.err
    assert "by mean and deviation of all 3 rows, for want of roles" in captured.out
    assert "left out, absent or constant on all 3 rows" in captured.err
    assert set(open_concepts(tmp_path / "o.h5")) >= {"ncount", "narea"}


def test_z_scores_are_not_fitted_on_tests(tmp_path, capsys):
    rows = make_rows(2, {"source": "s", "patch_no": range(2), "role": "internal_test"})
    write_store(tmp_path / "s.h5", np.stack([tissue(i) for i in range(2)]), rows)
    flags = ["--out", tmp_path / "c.h5", "--only", "colorfulness", "--original", tmp_path / "o.h5"]
    assert "no row has the role train" in refused(capsys, str(tmp_path / "s.h5"), *flags)
    assert [path.name for path in tmp_path.iterdir()] == ["s.h5"]


def test_z_scores_are_fitted_on_the_training_rows_of_a_split_table(tmp_path, capsys):
    rows = make_rows(4, {"source": "s", "patch_no": range(4), "patient": list("aabb")})
    write_store(tmp_path / "s.h5", np.stack([tissue(i) for i in range(4)]), rows)
    write_split(tmp_path / "split.csv", rows, np.array(["train", "train", "internal_test", "internal_test"]))
    flags = ["--only", "colorfulness", "--original", tmp_path / "o.h5", "--split", tmp_path / "split.csv", "--quiet"]
    main([str(tmp_path / "s.h5"), "--out", str(tmp_path / "c.h5"), *map(str, flags)])
    assert "by mean and deviation of the 2 training rows" in capsys.readouterr().out
    scores = open_concepts(tmp_path / "o.h5")["colorfulness"].sort_index().to_numpy()
    np.testing.assert_allclose([scores[:2].mean(), scores[:2].std()], [0, 1], atol=1e-10)
    assert abs(scores).max() > 1
    assert "--split says" in refused(capsys, tmp_path / "s.h5", "--out", tmp_path / "d.h5", "--split", "x.csv")


def test_bad_input_is_one_line(store, tmp_path, capsys):
    out = tmp_path / "c.h5"
    assert "there is no concept area; there are ncount" in refused(capsys, store, "--out", out, "--only", "area")
    assert "there is no such file" in refused(capsys, tmp_path / "no.h5", "--out", out)
    assert "there is no such file" in refused(capsys, store, "--out", out, "--plugin", tmp_path / "no.py")
    assert "there is no segmenter 'magic'" in refused(capsys, store, "--out", out, "--segmenter", "magic")
    assert "--mpp -1.0: give micrometres" in refused(capsys, store, "--out", out, "--mpp", "-1")
    assert "--workers 0: give 1 or more" in refused(capsys, store, "--out", out, "--workers", "0")
    assert "--seed -3: give 0 or more" in refused(capsys, store, "--out", out, "--seed", "-3")
    assert "would be written twice" in refused(capsys, store, "--out", out, "--original", out)
    assert "is a folder" in refused(capsys, store, "--out", tmp_path)
    assert not out.exists()
    out.write_text("mine")
    assert "exists already; choose another name or add --overwrite" in refused(capsys, store, "--out", out)
    assert out.read_text() == "mine"


def test_a_concept_table_is_no_store(store, tmp_path, capsys):
    main([store, "--out", str(tmp_path / "c.h5"), "--only", "narea", "--quiet"])
    capsys.readouterr()
    assert "no patches in a known layout" in refused(capsys, tmp_path / "c.h5", "--out", tmp_path / "d.h5")


def test_the_original_six_of_the_authors_patches(shared, tmp_path):
    """Real patches in the original's layout, to its concept file and back."""
    folder = shared / "data" / "camelyon"
    store = f"cam16={folder / 'cam16_patches.hdf5'},all500={folder / 'cam17_patches.hdf5'}"
    flags = ["--mpp", "0.25", "--only", ",".join(ORIGINAL), "--original", str(tmp_path / "o.h5"), "--quiet"]
    main([store, "--out", str(tmp_path / "c.h5"), *flags])
    raw, scores = open_concepts(tmp_path / "c.h5"), open_concepts(tmp_path / "o.h5")
    assert len(raw) == 30
    assert raw.index.names == KEY
    assert raw["ncount"].between(0, 200).all()
    again = scores.loc[raw.index, list(raw)]
    np.testing.assert_allclose(again, (raw - raw.mean()) / raw.std(ddof=0), atol=1e-10)


def test_a_killed_run_leaves_nothing(store, tmp_path):
    """Killed while a plugin dawdles; the next run sweeps and finishes."""
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import pathlib, time\nfrom data_prep.concepts import register\n"
        "@register('slow', 's', needs_nuclei=False)\n"
        "def slow(image, labels, mpp):\n"
        f"    pathlib.Path({str(tmp_path / 'begun')!r}).touch()\n    time.sleep(0.2)\n    return 1.0\n"
    )
    command = [sys.executable, "-m", "data_prep", "concepts", store, "--out", str(tmp_path / "out" / "c.h5")]
    with subprocess.Popen([*command, "--only", "slow", "--plugin", str(slow), "--quiet"]) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert (tmp_path / "begun").exists()
    assert not (tmp_path / "out").exists()
    main([*command[4:], "--only", "full_contrast", "--quiet"])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["c.h5"]


def test_a_full_disk_leaves_the_old_files(store, tmp_path, capsys, monkeypatch):
    out, original = tmp_path / "c.h5", tmp_path / "o.h5"
    for path in (out, original):
        path.write_text("old")
    reserve = os.posix_fallocate

    def full(descriptor, offset, size, limit=0):
        if limit and offset + size > limit:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        reserve(descriptor, offset, size)

    flags = ["--original", original, "--only", "ncount,narea", "--overwrite"]
    monkeypatch.setattr(os, "posix_fallocate", partial(full, limit=1))
    assert f"{out}: could not be written: no space is left on the disk" in refused(capsys, store, "--out", out, *flags)
    assert out.read_text() == "old"
    # The table fits, the larger file of the original does not.
    monkeypatch.setattr(os, "posix_fallocate", partial(full, limit=(1 << 20) + 30_000))
    assert f"{original}: could not be written: no space" in refused(capsys, store, "--out", out, *flags)
    assert len(open_concepts(out)) == 40
    assert original.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.h5", "o.h5"]
