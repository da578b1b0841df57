"""The row table is completed, and left as it is where it is complete."""

import numpy as np
import pandas as pd

from data_prep.store.rows import ROW_COLUMNS, complete_rows, join_rows, make_rows


def test_a_complete_table_is_the_same_and_apart():
    rows = make_rows(3, {"slide": "a", "x": [1, 2, 3]})
    again = complete_rows(rows)
    pd.testing.assert_frame_equal(again, rows)
    again["x"] = 9
    again.loc[0, "slide"] = "b"
    assert rows["x"].tolist() == [1, 2, 3]
    assert rows["slide"].tolist() == ["a"] * 3


def test_what_is_nearly_complete_is_completed():
    rows = make_rows(4, {"slide": "a", "x": np.arange(4)})
    for other in (
        rows.iloc[1:],
        rows.iloc[::2],
        rows[list(ROW_COLUMNS[::-1])],
        rows.astype({"x": "int32"}),
        rows.drop(columns="role"),
        rows.set_index(np.arange(4)),
    ):
        found = complete_rows(other)
        pd.testing.assert_frame_equal(found, make_rows(len(other), {"slide": "a", "x": other["x"].to_numpy()}))
        assert isinstance(found.index, pd.RangeIndex)


def test_tables_are_joined_under_one_index():
    joined = join_rows([make_rows(2, {"x": [1, 2]}), make_rows(1, {"x": [3]})])
    assert joined["x"].tolist() == [1, 2, 3]
    assert joined.index.equals(pd.RangeIndex(3))
