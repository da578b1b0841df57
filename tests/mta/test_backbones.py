import inspect
import sys

import h5py
import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from mta import backbones
from mta.backbones import available, build_trunk

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("float32")
FAMILIES = sorted({inspect.getmodule(getattr(keras.applications, name)).__name__ for name in available()[1:]})


def trunk(name, weights=None, size=32, cut=None):
    return build_trunk(name, weights, keras.Input((size, size, 3), name="image"), cut)


@pytest.mark.parametrize("family", FAMILIES)
def test_preprocessing_equals_the_families_own_from_stock_layers_only(family, tmp_path):
    function = sys.modules[family].preprocess_input
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Identity()(backbones._preprocess(function, image)))
    np.testing.assert_allclose(model(PIXELS), function(PIXELS.copy()), rtol=1e-5, atol=2e-5)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True, custom_objects={})
    np.testing.assert_array_equal(loaded(PIXELS), model(PIXELS))
    assert {type(layer).__module__.split(".")[0] for layer in loaded.layers} == {"keras"}


def test_every_name_of_keras_applications_is_there_with_a_preprocessing():
    assert {"SmallCNN", "InceptionV3", "MobileNetV3Small", "ConvNeXtTiny", "VGG16"} <= set(available())
    assert len(available()) >= 40
    assert all(
        hasattr(inspect.getmodule(getattr(keras.applications, name)), "preprocess_input") for name in available()[1:]
    )


@pytest.mark.parametrize(
    ("name", "channels"),
    [("MobileNetV2", 1280), ("SmallCNN", 96), ("MobileNetV3Small", 576)],
)
def test_network_after_its_preprocessing(name, channels):
    network = trunk(name)
    assert network.output.shape[-1] == channels
    assert network.input.shape == (None, 32, 32, 3)


def compare_with_stock(name, tmp_path):
    """Trunk with the weights of the stock network = stock network on preprocessed pixels, saved or not."""
    constructor = getattr(keras.applications, name)
    stock = constructor(include_top=False, weights=None, input_shape=(32, 32, 3))
    stock.save_weights(tmp_path / "stock.weights.h5")
    ours = trunk(name, str(tmp_path / "stock.weights.h5"))
    pixels = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    expected = stock(inspect.getmodule(constructor).preprocess_input(pixels.copy()))
    assert float(np.std(expected)) > 0
    np.testing.assert_allclose(ours(pixels), expected, rtol=1e-3, atol=1e-4 * float(np.max(np.abs(expected))))
    ours.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(pixels), ours(pixels))


def test_weights_from_a_file_and_tf_preprocessing(tmp_path):
    compare_with_stock("MobileNetV2", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "ResNet50V2", "DenseNet121", "EfficientNetB0", "MobileNetV3Small"])
def test_weights_from_a_file_and_every_preprocessing(name, tmp_path):
    compare_with_stock(name, tmp_path)


def test_real_weights_recognize_the_same_features(shared):
    path = shared / "data" / "weights" / "mobilenet_v2_imagenet_notop.weights.h5"
    ours = trunk("MobileNetV2", str(path))
    stock = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    stock.load_weights(path)
    pixels = np.random.default_rng(2).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(ours(pixels), stock(pixels / 127.5 - 1), rtol=1e-3, atol=1e-3)


def test_cut_reads_the_features_of_an_inner_layer():
    assert trunk("SmallCNN", cut="block2_pool").output.shape == (None, 8, 8, 32)
    with pytest.raises(InputError, match="SmallCNN has no layer 'block9'"):
        trunk("SmallCNN", cut="block9")
    with pytest.raises(
        InputError, match=r"EfficientNetB0: layer 'block1a_se_squeeze' gives \(None, 32\), which is no map"
    ):
        trunk("EfficientNetB0", cut="block1a_se_squeeze")


def test_cut_trunk_takes_weights_of_the_whole(tmp_path):
    whole = trunk("SmallCNN")
    whole.save_weights(tmp_path / "w.weights.h5")
    cut = trunk("SmallCNN", str(tmp_path / "w.weights.h5"), cut="block1_conv")
    np.testing.assert_array_equal(cut.get_layer("block1_conv").kernel, whole.get_layer("block1_conv").kernel)


def test_unknown_network_is_named_with_the_choice():
    with pytest.raises(InputError, match=r"no backbone 'Inceptionv3'; choose one of SmallCNN, .*InceptionV3"):
        trunk("Inceptionv3")


@pytest.mark.parametrize(("name", "size"), [("SmallCNN", 8), ("InceptionV3", 32)])
def test_too_small_images_are_said(name, size):
    with pytest.raises(InputError, match=f"{name} cannot be built for images of {size} pixels") as error:
        trunk(name, size=size)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    trunk("SmallCNN", size=64).save_weights(folder / "good.weights.h5")
    data = (folder / "good.weights.h5").read_bytes()
    (folder / "truncated.weights.h5").write_bytes(data[: len(data) // 2])
    (folder / "text.weights.h5").write_text("no HDF5")
    (folder / "weights.txt").write_text("no weights")
    for name in ("empty.weights.h5", "empty.h5"):
        h5py.File(folder / name, "w").close()
    other = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    other.save_weights(folder / "other.weights.h5")
    return folder


@pytest.mark.parametrize(
    "name",
    ["truncated.weights.h5", "text.weights.h5", "weights.txt", "empty.weights.h5", "empty.h5", "other.weights.h5"],
)
def test_a_file_that_does_not_fit_is_one_line(broken, name):
    with pytest.raises(InputError, match=f"{name}: not loadable as weights of SmallCNN") as error:
        trunk("SmallCNN", str(broken / name))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"none\.weights\.h5: there is no such weights file"):
        trunk("SmallCNN", str(tmp_path / "none.weights.h5"))


def offline(*arguments, **keywords):
    raise Exception("URL fetch failure on https://example.org/w.h5: None -- [Errno -3] Temporary failure\nmore")


def test_imagenet_without_a_network_says_what_to_do(monkeypatch):
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", offline)
    monkeypatch.setenv("KERAS_HOME", "/home/of/keras")
    with pytest.raises(
        InputError, match=r"MobileNetV2 could not be downloaded .*/home/of/keras/models .*--weights FILE.*docs/data\.md"
    ) as error:
        trunk("MobileNetV2", "imagenet", size=96)
    assert "\n" not in str(error.value)


def test_the_small_network_has_no_imagenet_weights():
    with pytest.raises(InputError, match="SmallCNN has no ImageNet weights"):
        trunk("SmallCNN", "imagenet")


def test_cached_imagenet_weights_are_used(monkeypatch, tmp_path):
    stock = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3))
    stock.save_weights(tmp_path / "w.weights.h5")
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *a, **k: str(tmp_path / "w.weights.h5"))
    ours = trunk("MobileNetV2", "imagenet", size=96)
    for mine, theirs in zip(ours.weights, stock.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
def test_efficientnet_from_a_file_equals_efficientnet_from_imagenet(monkeypatch, tmp_path):
    """The files hold deviations as "variance", and Keras mends that only where it loads them itself."""
    stock = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    (normalization,) = (layer for layer in stock.layers if isinstance(layer, keras.layers.Normalization))
    normalization.adapt_mean.assign([0.485, 0.456, 0.406])
    normalization.adapt_variance.assign([0.229, 0.224, 0.225])
    stock.save_weights(tmp_path / "w.weights.h5")
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *a, **k: str(tmp_path / "w.weights.h5"))
    pixels = np.random.default_rng(3).integers(0, 256, (1, 32, 32, 3)).astype("float32")
    stem = [
        trunk("EfficientNetB0", weights, cut="stem_conv")(pixels)
        for weights in ("imagenet", str(tmp_path / "w.weights.h5"))
    ]
    np.testing.assert_allclose(*stem, rtol=1e-4, atol=1e-5)
