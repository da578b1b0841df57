"""The numbers on probes of concepts: decodability, use by the tumor logit, and differences between runs."""

from collections.abc import Iterator

import numpy as np

from mta.evaluation.intervals import NOTHING, t_interval
from mta.explain.clustered import mean_interval, r2_interval, unexplained
from mta.explain.concept_probe import ConceptProbe
from mta.explain.facts import Fact
from mta.explain.site import Site


def decodability(site: Site, name: str, role: str, probe: ConceptProbe) -> Iterator[Fact]:
    """`r2` and `correlation` of the concept `name` on the rows of `role`; nothing where it does not vary there.

    The null of R2 are the regressions on shuffled training values, scored on the true ones.
    """
    true, predicted, patients = _scored(site, name, role, probe)
    if len(true) < 2 or np.ptp(true) == 0:
        return
    r2 = 1 - ((predicted - true[:, None]) ** 2).sum(axis=0) / ((true - true.mean()) ** 2).sum()
    interval = r2_interval(true, predicted[:, 0], patients)
    yield site.fact(name, role, "r2", float(r2[0]), patients, interval, r2[1:])
    yield site.fact(name, role, "correlation", _correlation(true, predicted[:, 0]), patients)


def use(site: Site, name: str, role: str, probe: ConceptProbe) -> Iterator[Fact]:
    """How the tumor logit moves with the concept, on all rows of `role`; nothing where it does not hear the layer.

    `sensitivity`: mean derivative along the concept vector, logits a unit; `positive`: share of rows where it is above
    0. `relevance`: mean derivative along the pattern, logits that go with a standard deviation of the concept. The null
    are the vectors and patterns of shuffled concepts.
    """
    if site.gradients is None:
        return
    rows = site.cohort.of(role)
    patients, gradients = site.cohort.patients[rows], site.gradients[rows]
    for measure, directions in (("sensitivity", probe.vectors), ("relevance", probe.patterns)):
        moves = gradients @ directions
        values, interval = moves.mean(axis=0), mean_interval(moves[:, 0], patients)
        yield site.fact(name, role, measure, float(values[0]), patients, interval, values[1:], two_sided=True)
    yield site.fact(name, role, "positive", float((gradients @ probe.vectors[:, 0] > 0).mean()), patients)


def difference(
    site: Site, other: Site, name: str, role: str, probe: ConceptProbe, other_probe: ConceptProbe
) -> Iterator[Fact]:
    """`r2_difference`: R2 at `site` minus R2 at the `other` site, on the same rows, with its interval over patients."""
    true, predicted, patients = _scored(site, name, role, probe)
    against = _scored(other, name, role, other_probe)[1]
    if len(true) < 2 or np.ptp(true) == 0:
        return
    mine, theirs = (unexplained(true, one[:, 0], patients) for one in (predicted, against))
    gaps = theirs - mine
    interval = (
        t_interval(float(gaps[0]), gaps[1:], np.zeros(len(gaps) - 1, int)) if np.isfinite(gaps).all() else NOTHING
    )
    yield site.fact(name, role, "r2_difference", float(gaps[0]), patients, interval if len(gaps) > 3 else NOTHING)


def _scored(site: Site, name: str, role: str, probe: ConceptProbe) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True (n,), predicted (n, 1 + shuffles) and patients (n,) of the rows of `role` whose concept is known."""
    rows = site.cohort.of(role) & np.isfinite(site.cohort.concepts[name])
    return site.cohort.concepts[name][rows], probe.ridge.predict(site.activations[rows]), site.cohort.patients[rows]


def _correlation(true: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.corrcoef(true, predicted)[0, 1]) if np.ptp(predicted) > 0 else float("nan")
