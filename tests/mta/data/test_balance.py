"""Equal shares of classes and centres, dealt out without favor, by seed and epoch alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.store import make_rows
from mta.data.balance import Balance, make_balance
from mta.data.inputs import BLOCK
from mta.data.reader import epoch_order


def table(labels, centres=None):
    centres = [""] * len(labels) if centres is None else centres
    return make_rows(len(labels), {"label": np.array(labels), "centre": [str(centre) for centre in centres]})


def balance(sizes, ungrouped=0):
    """Groups of these sizes, their rows interleaved at random, after `ungrouped` rows."""
    order = np.random.default_rng(0).permutation(sum(sizes)) + ungrouped
    parts = np.split(order, np.cumsum(sizes)[:-1]) if sizes else []
    return Balance(np.arange(ungrouped), [np.sort(part) for part in parts])


def counts(rows, length):
    return np.bincount(rows, minlength=length)


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 60), max_size=6),
    ungrouped=st.integers(0, 10),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 300),
)
def test_an_epoch_has_equal_shares_and_uses_each_group_evenly(sizes, ungrouped, seed, epoch):
    whole = balance(sizes, ungrouped)
    rows = whole.draw(seed, epoch)
    assert len(rows) == sum(sizes) + ungrouped
    np.testing.assert_array_equal(rows, whole.draw(seed, epoch))
    drawn = counts(rows, sum(sizes) + ungrouped)
    assert (drawn[:ungrouped] == 1).all()
    shares = [drawn[group].sum() for group in whole.groups]
    assert max(shares, default=0) - min(shares, default=0) <= 1
    for group in whole.groups:
        assert np.ptp(drawn[group]) <= 2  # a shuffle may end, and the next but one begin, within the epoch


@pytest.mark.parametrize("sizes", [(50, 7), (3, 100), (10, 10, 1)])
def test_no_row_comes_twice_before_all_others_of_its_group_came(sizes):
    whole = balance(sizes)
    total = np.zeros(sum(sizes), int)
    for epoch in range(40):
        total += counts(whole.draw(5, epoch), sum(sizes))
        for group in whole.groups:
            assert np.ptp(total[group]) <= 1


def test_seed_and_epoch_decide():
    whole = balance((80, 20))
    draws = {tuple(whole.draw(seed, epoch)) for seed in range(3) for epoch in range(3)}
    assert len(draws) == 9


def test_without_groups_every_row_comes_once_in_the_order_of_the_store():
    whole = make_balance(table([0, 1, -1, 1]), np.array([0, 2, 3]), "none")
    for epoch in range(3):
        np.testing.assert_array_equal(whole.draw(1, epoch), [0, 2, 3])
    np.testing.assert_array_equal(whole.weights(4), [1, 0, 1, 1])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("class", {(0,): [0, 1, 2, 6], (1,): [3, 5, 7]}),
        ("centre", {(0,): [0, 1, 3, 5], (1,): [2, 6, 7]}),
        ("class-centre", {(0,): [0, 1], (1,): [2, 6], (2,): [3, 5], (3,): [7]}),
    ],
)
def test_groups_are_those_that_have_training_rows(kind, expected):
    rows = table([0, 0, 0, 1, 1, 1, 0, 1], ["a", "a", "b", "a", "c", "a", "b", "b"])
    training = np.array([0, 1, 2, 3, 5, 6, 7])  # centre c trains nothing
    assert [group.tolist() for group in make_balance(rows, training, kind).groups] == list(expected.values())


@pytest.mark.parametrize(
    ("kind", "ungrouped", "lack"),
    [("class", [1], "label"), ("centre", [2], "centre"), ("class-centre", [1, 2], "label or")],
)
def test_rows_without_label_or_centre_come_once_an_epoch_and_are_told_of(kind, ungrouped, lack, capsys):
    whole = make_balance(table([0, -1, 1, 0], ["a", "b", "", "b"]), np.arange(4), kind)
    np.testing.assert_array_equal(whole.ungrouped, ungrouped)
    told = capsys.readouterr().err
    assert f"{len(ungrouped)} of 4 training rows lack {lack}" in told
    assert (counts(whole.draw(1, 3), 4)[ungrouped] == 1).all()


def test_weights_are_the_average_over_epochs():
    whole = balance((30, 6, 1), 3)
    drawn = sum(counts(whole.draw(0, epoch), 40) for epoch in range(600)) / 600
    np.testing.assert_allclose(whole.weights(40), drawn, atol=0.01)
    assert whole.weights(40).sum() == pytest.approx(40)


def test_neighbours_of_the_file_stay_together():
    """Blocks hold rows that are close in the file even where half of them are left out and others repeated."""
    labels = np.where(np.arange(20_000) // 100 % 4 == 0, 1, 0)  # slides of 100 patches, a quarter with tumor
    whole = make_balance(pd.DataFrame({"label": labels}), np.arange(20_000), "class")
    order = epoch_order(whole.draw(1, 0), 1, 0, BLOCK)
    spread = [np.ptp(order[start : start + BLOCK]) for start in range(0, len(order), BLOCK)]
    assert np.median(spread) < 10 * BLOCK
    assert max(len(order[i : i + BLOCK]) - len(np.unique(order[i : i + BLOCK])) for i in range(0, 20_000, BLOCK)) <= 1
