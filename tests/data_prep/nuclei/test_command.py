import numpy as np
import pytest

from data_prep.cli.nuclei import main
from data_prep.nuclei import segment
from data_prep.store import open_concepts, open_patches, write_store
from data_prep.synthetic import SyntheticSpec, synthesize


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """24 synthetic patches with true masks and concepts; the first row does not know its mpp."""
    block = next(synthesize(SyntheticSpec(patches=24, patients=15)))
    block.concepts.attrs["units"] = dict.fromkeys(block.concepts, "px")
    block.rows.loc[0, "mpp"] = np.nan
    path = tmp_path_factory.mktemp("nuclei") / "patches.h5"
    write_store(path, block.patches, block.rows, block.concepts, block.masks)
    return path


def failure(capsys, *arguments):
    """The single line on standard error of a command that leaves with status 2."""
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments), "--quiet"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_the_store_gets_masks_and_keeps_the_rest(store, tmp_path, capsys):
    out = tmp_path / "out.h5"
    main([str(store), "--out", str(out), "--mpp", "0.5", "--quiet"])
    with open_patches(store) as before, open_patches(out) as after:
        pixels = before.read(0, 24)
        np.testing.assert_array_equal(after.read(0, 24), pixels)
        filled = before.rows.fillna({"mpp": 0.5})
        assert after.rows.equals(filled)
        masks = after.read_masks(0, 24)
        expected = [segment(image, mpp) for image, mpp in zip(pixels, filled["mpp"], strict=True)]
        np.testing.assert_array_equal(masks, expected)
    assert open_concepts(out).equals(open_concepts(store))
    assert open_concepts(out).attrs == open_concepts(store).attrs
    counts = masks.max((1, 2))
    said = f"{counts.sum()} nuclei in 24 patches (median {np.median(counts):g}), none in {(counts == 0).sum()}"
    assert capsys.readouterr().out == f"{out}: {said}\n"


def test_mpp_is_never_guessed(store, tmp_path, capsys):
    error = failure(capsys, store, "--out", tmp_path / "out.h5")
    assert "1 of 24 patches" in error
    assert "--mpp" in error
    assert not (tmp_path / "out.h5").exists()
