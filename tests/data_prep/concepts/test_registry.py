"""Concepts of the user's own: registered in code, or by a file."""

import math

import numpy as np
import pytest

from data_prep.concepts import load_plugin, measure, register, unregister
from data_prep.concepts.registry import known
from data_prep.errors import InputError
from tests.data_prep.concepts.samples import nuclei, tissue


def plugin(folder, body, name="mine.py"):
    path = folder / name
    path.write_text("import math\nfrom data_prep.concepts import register\n" + body)
    return path


REDNESS = (
    "@register('redness', 'gray levels', 'mean red')\ndef f(image, labels, mpp):\n    return image[..., 0].mean()\n"
)


def test_a_registered_function_is_a_concept():
    @register("largest", "px", "area of the largest nucleus")
    def largest(image, labels, mpp):
        return np.bincount(labels[labels > 0]).max(initial=0)

    image, labels = tissue(), nuclei()
    assert list(measure(image, labels, 0.25))[-1] == "largest"
    assert measure(image, labels, 0.25, ["largest"]) == {"largest": np.bincount(labels[labels > 0]).max()}
    assert largest(image, labels, 0.25) == measure(image, labels, 0.25)["largest"]
    unregister("largest")
    assert "largest" not in measure(image, labels, 0.25)


def test_one_that_needs_no_nuclei_gets_none():
    seen = []
    register("seen", "", needs_nuclei=False)(lambda image, labels, mpp: seen.append((labels, mpp)) or math.nan)
    assert math.isnan(measure(tissue(), None, None, ["seen"])["seen"])
    assert seen[0][0] is None
    assert math.isnan(seen[0][1])


@pytest.mark.parametrize("name", ["ncount", "random", "taken"])
def test_names_that_are_taken(name):
    register("taken", "")(lambda *_: 0)
    with pytest.raises(InputError, match=f"there is a concept {name} already; give yours another name"):
        register(name, "px")


@pytest.mark.parametrize("name", ["", "a/b", "1st", "ä", "a b", "a,b"])
def test_names_that_are_none(name):
    with pytest.raises(InputError, match="a concept cannot be named"):
        register(name, "px")


@pytest.mark.parametrize("value", ["7", None, [1], np.zeros(2), math.inf, -math.inf, 1j])
def test_what_is_no_number(value):
    register("odd", "")(lambda *_: value)
    with pytest.raises(InputError, match=r"the concept odd gave .*; it must be one finite number, or NaN for absent"):
        measure(tissue(), nuclei(), 0.25, ["odd"])


@pytest.mark.parametrize("value", [3, 2.5, True, np.float32(0.5), np.int64(4), math.nan])
def test_what_is_a_number(value):
    register("fine", "")(lambda *_: value)
    found = measure(tissue(), nuclei(), 0.25, ["fine"])["fine"]
    assert type(found) is float
    assert found == value or math.isnan(value)


def test_a_function_that_fails_or_writes_is_one_line():
    register("failing", "")(lambda image, labels, mpp: 1 / 0)
    with pytest.raises(InputError, match=r"the concept failing failed \(ZeroDivisionError: division by zero\); mend"):
        measure(tissue(), nuclei(), 0.25, ["failing"])
    register("writing", "")(lambda image, labels, mpp: image.fill(0))
    with pytest.raises(InputError, match="read-only"):
        measure(tissue(), nuclei(), 0.25, ["writing"])


def test_a_file_registers_and_is_loaded_again_after_a_change(tmp_path):
    path = plugin(tmp_path, REDNESS)
    assert load_plugin(path) == ("redness",)
    assert measure(tissue(), None, None, ["redness"])["redness"] == pytest.approx(tissue()[..., 0].mean())
    plugin(tmp_path, REDNESS.replace("0]", "1]"))
    assert load_plugin(path) == ("redness",)
    assert measure(tissue(), None, None, ["redness"])["redness"] == pytest.approx(tissue()[..., 1].mean())
    with pytest.raises(InputError, match=r"other.py: there is a concept redness already"):
        load_plugin(plugin(tmp_path, REDNESS, "other.py"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x = 1\n", "registers no concept; decorate a function with data_prep.concepts.register"),
        (REDNESS + "nonsense(\n", r"cannot be run \(SyntaxError: "),
        (
            REDNESS + "import no_such_module\n",
            r"cannot be run \(ModuleNotFoundError: No module named 'no_such_module'\)",
        ),
        (REDNESS + "raise ValueError()\n", r"cannot be run \(ValueError\); mend it"),
        (REDNESS + "raise SystemExit(3)\n", r"cannot be run \(SystemExit: 3\)"),
        (REDNESS + "register('narea', 'px')\n", "there is a concept narea already"),
    ],
)
def test_files_that_do_not_work_leave_nothing(tmp_path, body, message):
    path = plugin(tmp_path, body)
    before = set(known())
    with pytest.raises(InputError, match=message) as caught:
        load_plugin(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert set(known()) == before


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        load_plugin(tmp_path / "no.py")
