import dataclasses
import re

import pytest

from data_prep.errors import InputError
from mta.spec import ModelSpec, check_concepts


def test_defaults_are_the_papers_network():
    spec = ModelSpec()
    assert (spec.backbone, spec.weights, spec.trainable, spec.size) == ("InceptionV3", "imagenet", "paper", 224)
    assert (spec.dense, spec.dropout, spec.l2, spec.domains) == ((2048, 512, 256), 0.8, 0.01, 7)


def test_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelSpec().size = 96


@pytest.mark.parametrize("trainable", ["paper", "all", "none", "last:1", "last:120"])
def test_accepts_every_form_of_trainable(trainable):
    assert ModelSpec(trainable=trainable).trainable == trainable


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"domains": 1}, "domains is 1"),
        ({"domains": -2}, "domains is -2"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"dropout": float("nan")}, "dropout is nan"),
        ({"size": 0}, "size"),
        ({"dense": (8, 0)}, "dense"),
        ({"l2": -1.0}, "l2"),
        ({"l2": float("nan")}, "l2"),
        ({"trainable": "last:0"}, "trainable is 'last:0'"),
        ({"trainable": "first:3"}, "trainable is 'first:3'"),
        ({"concept_head_on": "trunk"}, "concept_head_on is 'trunk'"),
        ({"concepts": ("a", "a")}, "twice"),
    ],
)
def test_refuses_what_no_network_can_have_in_one_line(change, message):
    with pytest.raises(InputError, match=re.escape(message)) as error:
        ModelSpec(**change)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["tumor", "domain", "image", "loss", "y_tumor", "y_domain", "uncertainty_loss", "2nd", "a b", "", "é"]
)
def test_refuses_a_concept_that_cannot_be_an_output(name):
    with pytest.raises(InputError, match="choose a plain word"):
        check_concepts((name,))


def test_refuses_a_concept_named_like_the_label_of_another():
    check_concepts(("y_position",))
    with pytest.raises(InputError, match="y_ncount"):
        check_concepts(("ncount", "y_ncount"))
