"""Probes at every chosen layer of every run."""

from collections.abc import Iterator, Sequence

import numpy as np

from data_prep.console import progress
from mta.explain.activations import activations
from mta.explain.class_probe import TARGETS, class_facts
from mta.explain.cohort import TESTS, Cohort
from mta.explain.concept_facts import decodability, difference, use
from mta.explain.concept_probe import ConceptProbe, fit_concepts
from mta.explain.facts import Fact
from mta.explain.opening import Subject
from mta.explain.sensitivity import logit_gradients
from mta.explain.site import Settings, Site

Probed = dict[str, tuple[Site, dict[str, ConceptProbe]]]


def probe_facts(
    subjects: Sequence[Subject],
    chosen: dict[str, list[str]],
    cohort: Cohort,
    names: Sequence[str],
    settings: Settings,
    quiet: bool,
) -> Iterator[Fact]:
    """Everything that `probe` measures.

    Args:
        subjects: runs with the same rows.
        chosen: the layers of each, by its name.
        cohort: the rows.
        names: of the concepts.
        settings: of the probes.
        quiet: no progress bar.

    Raises:
        InputError: for activations that are not finite, and fewer patients than folds.
    """
    first: Probed = {}
    for subject in subjects:
        probed: Probed = {}
        for site in _sites(subject, chosen[subject.name], cohort, quiet):
            yield from _site_facts(site, names, settings, probed)
        for layer in (name for name in probed if name in first):
            yield from _differences(probed[layer], first[layer])
        first = first or probed


def _sites(subject: Subject, layers: Sequence[str], cohort: Cohort, quiet: bool) -> Iterator[Site]:
    values = activations(subject, cohort.rows, layers, quiet=quiet)
    tests = cohort.of(*TESTS)
    found = logit_gradients(subject, cohort.rows[tests], layers, quiet)
    for layer in progress(layers, f"layers of {subject.name} probed", quiet=quiet):
        gradients = np.zeros_like(values[layer])
        if layer in found:
            gradients[tests] = found[layer]
        yield Site(subject.name, layer, cohort, values[layer], gradients if layer in found else None)


def _site_facts(site: Site, names: Sequence[str], settings: Settings, probed: Probed) -> Iterator[Fact]:
    """The facts of a site, whose probes are put into `probed`."""
    fitted = fit_concepts(site, names, settings)
    probed[site.layer] = (site, fitted)
    for name, found in fitted.items():
        for role in site.cohort.tests:
            yield from decodability(site, name, role, found)
            yield from use(site, name, role, found)
    for target in TARGETS:
        yield from class_facts(site, target, settings)


def _differences(
    one: tuple[Site, dict[str, ConceptProbe]], first: tuple[Site, dict[str, ConceptProbe]]
) -> Iterator[Fact]:
    (site, mine), (other, theirs) = one, first
    for name, found in mine.items():
        for role in site.cohort.tests:
            yield from difference(site, other, name, role, found, theirs[name])
