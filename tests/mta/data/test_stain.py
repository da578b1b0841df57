"""The stain of a run: which method, fitted on what, and applied once to every patch."""

import json

import numpy as np
import pytest

from data_prep.cli.normalize import main as normalize
from data_prep.errors import InputError
from data_prep.stain import Macenko, Reinhard, Stains, Vahadane, load_normalizer
from data_prep.store import open_patches
from mta.data.stain import made_by, still_needed
from mta.evaluate import evaluate
from mta.export import export
from mta.predict import predict
from mta.settings import configure
from mta.train import train
from mta.trained import load_run
from mta.training.setup import prepare, training_reader
from tests.builders import TINY, tiny_rows, tiny_store
from tests.data_prep.stain.hard import stained
from tests.mta.training.comparing import assert_same_run
from tests.mta.training.killing import Killed, kill_in_batch

ROWS = tiny_rows()
TRAIN = (ROWS["role"] == "train").to_numpy()
PIXELS = np.stack([stained((32, 32), seed) for seed in range(len(ROWS))])
QUICK = {**TINY, "epochs": (1, 0), "preset": "baseline"}


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """`tiny_store` with patches of two stains. Not to be changed."""
    return tiny_store(tmp_path_factory.mktemp("raw") / "raw.h5", pixels=PIXELS)


@pytest.fixture(scope="module")
def made(raw):
    """The same, normalized by Macenko, slide by slide. Not to be changed."""
    path = raw.with_name("made.h5")
    normalize([str(raw), "--out", str(path), "--method", "macenko", "--fit", "slide", "--quiet"])
    return path


@pytest.fixture(scope="module")
def run(made):
    """A run on the normalized store."""
    return train(made, made.with_name("run"), quiet=True, **QUICK)


def prepared(store, **settings):
    return prepare(configure({"store": str(store), "out": "run", **settings}))


def first_batch(store, **settings):
    """Patches of the first batch and their rows."""
    config = configure({"store": str(store), "out": "run", "batch_size": 8, **settings})
    reader = training_reader(setup := prepare(config), config, setup.patch_inputs())
    return reader.batch(0)[0]["image"], reader.order[:8]


def test_reinhard_unless_the_store_is_normalized(raw, made) -> None:
    assert isinstance(prepared(raw).normalizer, Reinhard)
    assert isinstance(prepared(made).normalizer, Macenko)
    assert prepared(made).normalizer.fields() == load_normalizer(made.with_suffix(".stain.json")).fields()


@pytest.mark.parametrize("kind", [Macenko, Vahadane])
def test_the_median_of_the_training_patches(kind, raw) -> None:
    found = prepared(raw, stain=kind.method).normalizer
    estimates = [kind().estimate(image) for image in PIXELS[TRAIN]]
    expected = Stains.median([stains for stains in estimates if stains is not None])
    assert isinstance(found, kind)
    np.testing.assert_allclose(found.stains.matrix, expected.matrix)
    np.testing.assert_allclose(found.stains.peaks, expected.peaks)


def test_other_references(raw, tmp_path) -> None:
    Vahadane().fit(PIXELS[3]).save(tmp_path / "a.json")
    assert prepared(raw, stain="macenko", stain_reference="published").normalizer.fields() == Macenko().fields()
    assert isinstance(prepared(raw, stain_reference=str(tmp_path / "a.json")).normalizer, Vahadane)
    row = prepared(raw, stain="macenko", stain_reference="row:5").normalizer
    assert row.fields() == Macenko().fit(PIXELS[5]).fields()
    with pytest.raises(InputError, match="is a reference for vahadane, not for macenko"):
        prepared(raw, stain="macenko", stain_reference=str(tmp_path / "a.json"))
    with pytest.raises(InputError, match="no published reference for reinhard"):
        prepared(raw, stain_reference="published")


def test_patches_are_normalized_once(raw, made) -> None:
    images, rows = first_batch(raw, stain="macenko")
    np.testing.assert_array_equal(images, prepared(raw, stain="macenko").normalizer.transform(PIXELS[rows]))
    images, rows = first_batch(made)
    with open_patches(made) as patches:
        np.testing.assert_array_equal(images, patches.take(rows))


@pytest.mark.parametrize(
    "settings", [{"stain": "reinhard"}, {"stain": "none"}, {"stain_reference": "first"}, {"profile": "original"}]
)
def test_a_normalized_store_is_not_normalized_otherwise(settings, made) -> None:
    with pytest.raises(InputError, match=r"normalized already \(macenko\); leave out --stain"):
        prepared(made, **settings)


def test_the_method_of_the_store_may_be_named(made) -> None:
    assert prepared(made, stain="macenko").normalizer.fields() == prepared(made).normalizer.fields()


def test_profile_original_knows_reinhard_alone(raw) -> None:
    with pytest.raises(InputError, match="profile original takes channels as stored"):
        prepared(raw, profile="original", stain="macenko")


def test_normalized_and_raw_files_do_not_mix(raw, made) -> None:
    with pytest.raises(InputError, match="not all were normalized to one stain reference"):
        prepared(f"a={raw},b={made}")


def test_what_is_still_needed(raw, made, tmp_path) -> None:
    with open_patches(raw) as scanned, open_patches(made) as normal:
        own = made_by(normal)
        assert made_by(scanned) is None
        assert still_needed(scanned, None) is None
        assert still_needed(scanned, own) is own
        assert still_needed(normal, made_by(normal)) is None
        for other in (None, Macenko(), Reinhard.from_statistics([60, 10, -10], [8, 4, 4])):
            with pytest.raises(InputError, match="to another stain reference than the run's"):
                still_needed(normal, other)


def test_the_reference_travels_with_the_run(run, made, raw) -> None:
    stain = load_normalizer(run / "stain.json")
    assert stain.fields() == load_normalizer(made.with_suffix(".stain.json")).fields()
    on_own = predict(run, made, quiet=True)
    on_raw = predict(run, raw, quiet=True)  # normalized on the way, patch by patch
    by_hand = tiny_store(raw.with_name("by_hand.h5"), pixels=stain.transform(PIXELS))
    trained = load_run(run)
    with open_patches(by_hand) as patches:
        trained.normalizer = None
        expected = trained.predict(patches, np.arange(len(patches)))
    np.testing.assert_allclose(on_raw["logit"], expected["logit"], atol=1e-6)
    assert np.abs(on_own["logit"] - on_raw["logit"]).max() > 1e-6


def test_evaluates_on_its_own_and_on_raw_patches(run, raw) -> None:
    assert set(evaluate(run, quiet=True)) == {"validation", "internal_test"}
    assert evaluate(run, raw, raw.with_name("evaluation"), quiet=True)["internal_test"]["tumor"]["n"] == 12


def test_a_store_of_another_reference_is_refused(run, raw, tmp_path) -> None:
    other = tmp_path / "other.h5"
    normalize([str(raw), "--out", str(other), "--method", "vahadane", "--quiet"])
    with pytest.raises(InputError, match=r"normalized \(vahadane\) to another stain reference"):
        predict(run, other, quiet=True)
    same = tmp_path / "same.h5"
    normalize([str(raw), "--out", str(same), "--method", "macenko", "--reference", str(run / "stain.json"), "--quiet"])
    np.testing.assert_allclose(
        predict(run, same, quiet=True)["logit"], predict(run, raw, quiet=True)["logit"], atol=1e-6
    )


def test_the_card_of_an_export_names_the_method(run, tmp_path) -> None:
    path = export(run, "keras", tmp_path / "model.keras", quiet=True)
    card = path.with_name("model.keras.md").read_text()
    assert "normalize every patch first (Macenko)" in card
    assert 'Macenko.load("model.keras.stain.json").transform(patches)' in card
    assert "Reinhard" not in card
    assert Macenko.load(path.with_name("model.keras.stain.json")).fields() == load_run(run).normalizer.fields()


def test_a_run_on_a_normalized_store_resumes(made, tmp_path) -> None:
    settings = {**QUICK, "epochs": (2, 0), "quiet": True}
    whole = train(made, tmp_path / "whole", **settings)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_in_batch(patch, 1, 0)
        train(made, tmp_path / "cut", **settings)
    assert_same_run(train(made, tmp_path / "cut", resume=True, **settings), whole)


def test_a_run_of_slides_says_where_it_normalizes_patch_by_patch(run, made, tmp_path, capsys) -> None:
    other = tiny_store(tmp_path / "other.h5", pixels=PIXELS[::-1].copy())
    fields = json.loads((run / "stain.json").read_text())
    assert fields["fit"] == "slide"
    assert "slides" not in fields
    predict(run, other, quiet=True)
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    command = shown.partition("python -m data_prep normalize ")[2].split()
    command[command.index("NORMALIZED.h5")] = str(tmp_path / "same.h5")
    normalize([*command, "--quiet"])
    capsys.readouterr()
    predict(run, tmp_path / "same.h5", quiet=True)
    predict(run, made, quiet=True)
    assert capsys.readouterr().err == ""
    card = export(run, "keras", tmp_path / "model.keras", quiet=True)
    assert "with the stains of their whole slide" in card.with_name(f"{card.name}.md").read_text()
