"""docs/concepts.md says what the catalog says."""

import re
from pathlib import Path

from data_prep.concepts import BUILT_IN, load_plugin, measure
from tests.data_prep.concepts.samples import tissue

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "concepts.md").read_text(encoding="utf-8")


def test_the_table_of_concepts():
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (yes)? ?\| ?(yes)? ?\|", PAGE, re.MULTILINE)
    found = [(name, unit, bool(nuclei), bool(mpp)) for name, unit, nuclei, mpp in rows]
    assert found == [(c.name, c.unit, c.needs_nuclei, c.needs_mpp) for c in BUILT_IN.values()]


def test_the_plugin(tmp_path):
    (tmp_path / "mine.py").write_text(PAGE[PAGE.index("# mine.py") :].split("```")[0])
    assert load_plugin(tmp_path / "mine.py") == ("redness",)
    assert measure(tissue(), None, None, ["redness"])["redness"] == tissue()[..., 0].mean()
