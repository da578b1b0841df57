"""Sites with known contents, for tests of probes."""

import numpy as np

from mta.explain.cohort import Cohort
from mta.explain.site import Site


def cohort(seed=0, patients=12, rows=20, centres=2, **concepts):
    """`patients` of each of train and internal_test, half of their rows tumor; patients alternate between centres."""
    count = 2 * patients * rows
    number = np.repeat(np.arange(2 * patients), rows)
    labels = np.where(np.random.default_rng(seed).random(count) < 0.5, "tumor", "normal")
    return Cohort(
        np.arange(count),
        np.where(number < patients, "train", "internal_test"),
        np.array([f"p{one:02d}" for one in number]),
        labels,
        np.array([f"c{one % centres}" for one in number]),
        {name: np.asarray(values, float) for name, values in concepts.items()},
    )


def site(rows, activations, gradients=None, run="run", layer="layer"):
    return Site(run, layer, rows, np.asarray(activations, np.float32), gradients)


def value_of(facts, measure):
    """The one fact of this measure."""
    (fact,) = [fact for fact in facts if fact.measure == measure]
    return fact
