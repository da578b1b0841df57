"""The data side of a run: what is fitted on what, what is refused."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from mta.data.coding import coding_from_json, coding_to_json
from mta.settings import configure
from mta.training.setup import class_weights, prepare, training_reader
from tests.builders import tiny_concepts, tiny_pixels, tiny_rows, tiny_store
from tests.data_prep.store.samples import CAM16, CAM17, camelyon, pixels

ROWS = tiny_rows()
TRAIN = (ROWS["role"] == "train").to_numpy()


def prepared(store, **settings):
    return prepare(configure({"store": str(store), "out": "run", **settings}))


def reader_of(config):
    setup = prepare(config)
    return training_reader(setup, config, setup.patch_inputs())


def fitted(setup):
    return {
        **coding_to_json(setup.coding),
        "stain": [setup.normalizer.means.tolist(), setup.normalizer.stds.tolist()],
        "weights": setup.class_weights,
    }


def changed_store(path, which, rows=ROWS):
    """`tiny_store` with other pixels, concepts and labels in the rows `which`."""
    pixels, concepts = tiny_pixels(rows), tiny_concepts(rows)
    pixels[which] = 255 - pixels[which] // 2
    concepts.loc[which] += 1000
    return tiny_store(path, rows, pixels=pixels, concepts=concepts)


def test_everything_is_fitted_on_training_rows_alone(tiny_h5, tmp_path):
    before = fitted(prepared(tiny_h5))
    tests_changed = changed_store(tmp_path / "a.h5", ~TRAIN)
    assert fitted(prepared(tests_changed)) == before
    training_changed = fitted(prepared(changed_store(tmp_path / "b.h5", TRAIN)))
    assert training_changed["concepts"] != before["concepts"]
    assert training_changed["stain"] != before["stain"]


def test_concepts_are_standardized_over_the_training_rows(tiny_h5):
    setup = prepared(tiny_h5)
    values = setup.targets["narea"][TRAIN, 0]
    assert values.mean() == pytest.approx(0, abs=1e-6)
    assert values.std() == pytest.approx(1, abs=1e-6)
    assert setup.coding.scales["narea"].unit == "px"
    assert coding_from_json(json.loads(json.dumps(coding_to_json(setup.coding)))) == setup.coding


def test_targets_of_every_task(tiny_h5):
    targets = prepared(tiny_h5).targets
    assert {name: values.shape for name, values in targets.items()} == {
        **{"tumor": (48, 1), "domain": (48, 2)},
        **{"ncount": (48, 1), "narea": (48, 1)},
    }
    np.testing.assert_array_equal(targets["tumor"][:, 0], ROWS["label"])
    np.testing.assert_array_equal(targets["domain"].argmax(axis=1), ROWS["centre"].astype(int))


def test_class_weights_are_the_other_class_share():
    assert class_weights(np.array([0, 0, 0, 1, -1, -1]), np.ones(6)) == (0.25, 0.75)
    assert class_weights(np.array([0, 0, 0, 1, -1, -1]), np.array([1, 0, 0, 1, 1, 1])) == (0.5, 0.5)
    assert class_weights(np.array([-1]), np.ones(1)) == (0.0, 1.0)


def test_class_weights_by_profile(tmp_path):
    rows = ROWS.assign(label=np.where(ROWS.index % 6 == 1, 1, 0))
    store = tiny_store(tmp_path / "a.h5", rows)
    assert prepared(store).class_weights == pytest.approx((1 / 6, 5 / 6))
    assert prepared(store, profile="original").class_weights is None


def test_missing_concepts_are_masked_in_paper_and_1_in_original(tmp_path):
    concepts = tiny_concepts(ROWS)
    concepts.loc[[0, 30], "narea"] = np.nan
    store = tiny_store(tmp_path / "a.h5", concepts=concepts)
    assert np.flatnonzero(np.isnan(prepared(store).targets["narea"])).tolist() == [0, 30]
    original = prepared(store, profile="original").targets["narea"]
    np.testing.assert_array_equal(original[[0, 30], 0], [1, 1])
    assert not np.isnan(original).any()


def test_original_reads_all_listed_rows_with_tumor_labels_of_training_only(tmp_path):
    rows = ROWS.assign(role=np.where(ROWS.index == 47, "", ROWS["role"]))
    config = configure({"store": str(tiny_store(tmp_path / "a.h5", rows)), "profile": "original", "batch_size": 10})
    reader = reader_of(config)
    np.testing.assert_array_equal(np.sort(reader.order), np.arange(47))
    assert len(reader) == 4  # the last 7 rows make no batch
    labels = np.full(48, np.nan)
    for number in range(4):
        inputs, _ = reader[number]
        labels[reader.order[number * 10 : number * 10 + 10]] = inputs["y_tumor"][:, 0]
        assert inputs["y_domain"].shape == (10, 7)
        assert (inputs["y_domain"].sum(axis=1) == 1).all()
    read = ~np.isnan(labels)
    np.testing.assert_array_equal(labels[read], np.where(TRAIN, ROWS["label"], -1)[read])


def test_only_the_originals_baseline_is_not_shuffled(tiny_h5):
    shuffled = {}
    for profile in ("paper", "original"):
        for preset in ("baseline", "multitask"):
            config = configure({"store": str(tiny_h5), "profile": profile, "preset": preset})
            order = reader_of(config).order
            shuffled[profile, preset] = bool((np.diff(order) < 0).any())
    assert shuffled.pop(("original", "baseline")) is False
    assert all(shuffled.values())


def test_original_takes_channels_as_the_files_held_them(tmp_path):
    store = tiny_store(tmp_path / "a.h5", stored_bgr=True)
    rgb, stored = prepared(store).data.patches[3], prepared(store, profile="original").data.patches[3]
    np.testing.assert_array_equal(stored, rgb[..., ::-1])


def test_original_has_its_seven_domains_and_refuses_others(tiny_h5, tmp_path):
    assert prepared(tiny_h5, profile="original").coding.centres == tuple("0123456")
    assert prepared(tiny_h5, profile="original", adversary="none").coding.centres == ()
    named = tiny_store(tmp_path / "a.h5", centre=np.where(ROWS["centre"] == "0", "Nijmegen", "1"))
    assert prepared(named).coding.centres == ("1", "Nijmegen")
    with pytest.raises(InputError, match=r"knows the centres 0, .*6, not 'Nijmegen'"):
        prepared(named, profile="original")


def test_the_random_concept_is_fixed_in_paper_and_redrawn_in_original(tiny_h5):
    fixed, redrawn = [], []
    for profile, values in (("paper", fixed), ("original", redrawn)):
        config = configure({"store": str(tiny_h5), "preset": "random-concept", "profile": profile, "batch_size": 4})
        reader = reader_of(config)
        for epoch in range(2):
            reader.set_epoch(epoch)
            batches = [reader[i][0]["y_random"][:, 0] for i in range(len(reader))]
            values.append(dict(zip(reader.order.tolist(), np.concatenate(batches).tolist(), strict=False)))
    assert fixed[0] == fixed[1]
    assert all(redrawn[0][row] != redrawn[1][row] for row in redrawn[0])


def test_centres_that_are_missing_or_alone(tmp_path, capsys):
    missing = tiny_store(tmp_path / "a.h5", centre=np.where(ROWS.index < 3, "", ROWS["centre"]))
    with pytest.raises(InputError, match=r"3 of 24 training rows have no centre"):
        prepared(missing)
    targets = prepared(missing, missing_centre="mask").targets
    np.testing.assert_array_equal(np.flatnonzero(targets["domain"].sum(axis=1) == 0), [0, 1, 2])
    assert "3 of 24 training rows have no centre and stay out" in capsys.readouterr().err
    assert prepared(missing, adversary="none").coding.centres == ()
    alone = tiny_store(tmp_path / "b.h5", centre=np.where(TRAIN, "0", ROWS["centre"]))
    with pytest.raises(InputError, match="come from 1 centre; an adversary needs two"):
        prepared(alone)


def test_a_centre_unseen_in_training_is_masked(tmp_path):
    rows = ROWS.assign(centre=np.where(ROWS["role"] == "internal_test", "10", ROWS["centre"]))
    setup = prepared(tiny_store(tmp_path / "a.h5", rows))
    assert setup.coding.centres == ("0", "1")
    unseen = setup.coding.domain(rows) == -1
    np.testing.assert_array_equal(unseen, ROWS["role"] == "internal_test")
    assert (setup.targets["domain"][unseen] == 0).all()


def test_centres_are_ordered_as_numbers(tmp_path):
    centre = pd.Series(ROWS.index % 3).map({0: "10", 1: "9", 2: "centre 2"})
    assert prepared(tiny_store(tmp_path / "a.h5", centre=centre)).coding.centres == ("9", "10", "centre 2")


def test_leaks_stop_the_run_unless_allowed(tmp_path, capsys):
    rows = ROWS.assign(patient=ROWS["patient"].replace("p7", "p0"))
    store = tiny_store(tmp_path / "a.h5", rows)
    with pytest.raises(InputError, match=r"the split leaks: 1 patient in more than one role: p0 .*--allow-leak"):
        prepared(store)
    leaks = prepared(store, allow_leak=True).leaks
    assert len(leaks) == 1
    assert "p0 (train, internal_test)" in leaks[0]
    assert "the split leaks" in capsys.readouterr().err


@pytest.mark.parametrize("reference", ["median", "first", "row:5"])
def test_stain_references(tiny_h5, reference):
    from data_prep.stain import Reinhard

    normalizer = prepared(tiny_h5, stain_reference=reference).normalizer
    number = {"first": 0, "row:5": 5}.get(reference)
    if number is not None:
        np.testing.assert_array_equal(normalizer.means, Reinhard().fit(tiny_pixels(ROWS)[number]).means)
    assert (normalizer.stds > 0).all()
    assert prepared(tiny_h5, stain="none", stain_reference=reference).normalizer is None


def test_the_median_reference_leaves_out_patches_without_stain(tmp_path):
    from data_prep.stain import statistics

    pixels = tiny_pixels(ROWS)
    expected = prepared(tiny_store(tmp_path / "a.h5", role=np.where(ROWS.index < 14, "", ROWS["role"]))).normalizer
    pixels[:14] = 200
    pixels[:14, 16:] = 150  # two grays, and one pixel with a tinge: not of one color, but without stain
    pixels[:14, 0, 0] = (206, 198, 196)
    assert (statistics(pixels[:14])[1] > 0).all()
    found = prepared(tiny_store(tmp_path / "b.h5", pixels=pixels)).normalizer
    np.testing.assert_allclose(found.means, expected.means)
    np.testing.assert_allclose(found.stds, expected.stds)


def test_stain_reference_from_files(tiny_h5, tmp_path):
    import cv2

    expected = prepared(tiny_h5, stain_reference="row:5").normalizer
    cv2.imwrite(str(tmp_path / "a.png"), tiny_pixels(ROWS)[5][..., ::-1])
    expected.save(tmp_path / "a.json")
    for name in ("a.png", "a.json"):
        found = prepared(tiny_h5, stain_reference=str(tmp_path / name)).normalizer
        np.testing.assert_allclose(found.means, expected.means)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("row:48", "give row:N with N from 0 to 47"),
        ("row:x", "give row:N"),
        ("absent.png", "neither a readable image, nor median"),
        ("absent.json", "not a readable stain file"),
    ],
)
def test_bad_stain_references(tiny_h5, reference, message):
    with pytest.raises(InputError, match=message):
        prepared(tiny_h5, stain_reference=reference)


def test_a_blank_reference_is_refused(tmp_path):
    store = tiny_store(tmp_path / "a.h5", pixels=np.full((48, 32, 32, 3), 255, "uint8"))
    with pytest.raises(InputError, match="every sampled training patch is blank"):
        prepared(store)
    with pytest.raises(InputError, match="stain reference first"):
        prepared(store, stain_reference="first")


def test_several_stores_under_names_share_one_run(tiny_h5, tmp_path):
    other = tiny_store(tmp_path / "b.h5", role="train", patient="q", slide="q", centre="2")
    setup = prepared(f"a={tiny_h5},b={other}")
    assert len(setup.data.of("train")) == 24 + 48
    assert setup.coding.centres == ("0", "1", "2")
    assert not np.isnan(setup.targets["narea"]).any()


def test_a_concept_file_stands_in_for_the_stores_own(tiny_h5, tmp_path):
    path = tmp_path / "concepts.csv"
    pd.DataFrame({"row": range(48), "narea [um2]": np.arange(48.0)}).to_csv(path, index=False)
    setup = prepared(tiny_h5, concepts=("narea",), concept_file=str(path))
    assert setup.coding.scales["narea"].mean == pytest.approx(11.5)
    assert setup.coding.scales["narea"].unit == "um2"
    with pytest.raises(InputError, match=r"concepts\.csv: has no concept ncount; it has narea"):
        prepared(tiny_h5, concept_file=str(path))


@pytest.mark.parametrize("profile", ["paper", "original"])
def test_original_files_as_they_are(tmp_path, profile):
    """The byte-string concepts and the split file of the original, one concept missing, patients that leak."""
    store = camelyon(tmp_path / "all.h5")
    roles = {(CAM16, 0): "train", (CAM16, 1): "val", (CAM16, 2): "train", (CAM17, 0): "train", (CAM17, 1): "val"}
    entries = {key: f"{key[0]}/patches" for key in roles}
    lines = [f"all500, {entries[key]}, {key[1]}, {role}" for key, role in roles.items()]
    (tmp_path / "split.csv").write_text("\n".join(lines) + "\n")
    with h5py.File(tmp_path / "concepts.h5", "w") as file:
        for number, key in enumerate(roles):
            if number != 2:
                file[f"all500/{entries[key]}/{key[1]}/ncount"] = np.bytes_(f"{number - 1.5}")
    setup = prepared(
        f"all500={store}",
        **{"profile": profile, "concepts": ("ncount",), "concept_file": str(tmp_path / "concepts.h5")},
        **{"split": str(tmp_path / "split.csv"), "allow_leak": True, "stain": "none"},
    )
    assert len(setup.leaks) == 2  # both patients, both slides
    assert setup.coding.centres == (tuple("0123456") if profile == "original" else ("2", "5"))
    training = setup.data.of("train")
    values = setup.targets["ncount"][training, 0]
    if profile == "original":
        np.testing.assert_array_equal(np.sort(values), [-1.5, 1.0, 1.5])  # as in the file, 1 for the absent one
    else:
        assert np.isnan(values).sum() == 1
        np.testing.assert_allclose(np.sort(values[~np.isnan(values)]), [-1, 1], atol=1e-6)
    stored, rgb = (pixels(3, seed=0)[0], pixels(3, seed=0)[0][..., ::-1])
    row = setup.data.rows.query("slide.str.contains('042') and patch_no == 0").index[0]
    np.testing.assert_array_equal(setup.data.patches[row], stored if profile == "original" else rgb)


def test_balance_shows_classes_equally_and_leaves_the_weights_to_it(tmp_path):
    rows = ROWS.assign(label=np.where(ROWS.index % 6 == 1, 1, 0))
    store = tiny_store(tmp_path / "a.h5", rows)
    config = configure({"store": str(store), "balance": "class", "stain": "none"})
    setup = prepare(config)
    assert setup.class_weights == (0.5, 0.5)
    reader = training_reader(setup, config, setup.patch_inputs())
    assert len(reader.order) == 24
    assert set(setup.data.roles[reader.order]) == {"train"}
    assert (reader[0][0]["y_tumor"] == 1).sum() == 12
    original = prepare(configure({"store": str(store), "balance": "class", "class_weights": "original"}))
    assert original.class_weights is None


def test_class_weights_follow_what_a_balance_of_centres_shows(tmp_path):
    rows = ROWS.assign(label=np.where((ROWS["centre"] == "0") & (ROWS.index % 3 > 0) | (ROWS.index % 6 == 1), 1, 0))
    rows.loc[rows.index < 6, "centre"] = "1"
    train = rows[rows["role"] == "train"]
    shares = train.groupby("centre")["label"].mean()
    assert train["centre"].value_counts().tolist() == [18, 6]
    tumor = prepared(tiny_store(tmp_path / "a.h5", rows), balance="centre").class_weights[0]
    assert tumor == pytest.approx(shares.mean())
    assert tumor != pytest.approx(train["label"].mean())
