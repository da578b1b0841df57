"""Concepts that a test registers end with it."""

import pytest

from data_prep.concepts import unregister
from data_prep.concepts.registry import known


@pytest.fixture(autouse=True)
def clean():
    before = set(known())
    yield
    for name in set(known()) - before:
        unregister(name)
