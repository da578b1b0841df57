"""What `verify` says about a file."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Finding:
    """One thing to know about `file`: a `problem` must be mended, a warning not. `redo`: slides to make again."""

    file: str
    text: str
    problem: bool = True
    redo: tuple[str, ...] = ()


def slide_names(rows: pd.DataFrame) -> pd.Series:
    """The slide of each row, its entry where no slide is known."""
    return rows["slide"].where(rows["slide"] != "", rows["entry"])
