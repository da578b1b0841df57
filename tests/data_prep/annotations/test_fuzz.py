"""The readers on mutated files: a valid tumor on the slide, or one line. `make test-slow` runs the long one."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
import shapely

from data_prep.annotations import read_annotation
from data_prep.errors import InputError
from tests.data_prep.annotations.samples import (
    BOW_TIE,
    HOLE,
    SQUARE,
    a_slide,
    feature,
    polygon,
    write_asap,
    write_geojson,
)

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
PIECE = re.compile(rb"[-+.\d]+|\w+|\s+|.", re.DOTALL)
TOKENS = (
    b'< > /> </ " & &#0; &lt; <![CDATA[ ]]> <!-- --> <? <!DOCTYPE { } [ ] , : null true NaN \\u0000 \\ud800 \xff \0 '
    b"0 -1 1e308 1e-308 99999999999999999999 0x10 10 20 50 50.000000001 .5 80 100 Polygon MultiPolygon Feature Tumor "
    b"Exclusion _0 _2 Annotation Coordinate Order"
).split(b" ")


def mutated(data: bytes, generator: np.random.Generator) -> bytes:
    """`data` with up to three of its words, numbers or signs replaced, dropped, repeated or swapped."""
    pieces = PIECE.findall(data)
    for _ in range(generator.integers(1, 4)):
        one, other = generator.integers(0, len(pieces), 2).tolist()
        match int(generator.integers(12)):
            case 0:
                pieces[one] = TOKENS[generator.integers(len(TOKENS))]
            case 1:
                pieces[one] = bytes([generator.integers(256)]) + pieces[one][1:]
            case 2:
                pieces[one] = pieces[one] * int(generator.integers(0, 20))
            case 3 | 4 | 5 | 6 | 7 | 8:
                numbers = [place for place, piece in enumerate(pieces) if piece.isdigit()] or [one]
                pieces[generator.choice(numbers)] = str(generator.integers(-20, 120)).encode()
            case _:
                pieces[one], pieces[other] = pieces[other], pieces[one]
    return b"".join(pieces)


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    """Sound files and the corpus, each with its ending."""
    sound = [
        write_asap(folder / "a.xml", polygon(SQUARE), polygon(HOLE, "_2"), polygon(BOW_TIE, "_0")),
        write_geojson(folder / "a.geojson", [feature([SQUARE, HOLE]), feature([[BOW_TIE]], "Ignore*", "MultiPolygon")]),
    ]
    return [(path.suffix, path.read_bytes()) for path in [*sound * 30, *CORPUS]]


def attack(folder: Path, examples: int, seed: int) -> dict[str, int]:
    """Read `examples` mutated files; how many were read and refused. The offending file is left in `folder`."""
    generator, files, outcomes = np.random.default_rng(seed), seeds(folder), {"read": 0, "refused": 0}
    for _ in range(examples):
        ending, data = files[generator.integers(len(files))]
        path = folder / f"mutated{ending}"
        path.write_bytes(mutated(data, generator))
        start = time.perf_counter()
        try:
            tumor = read_annotation(path, a_slide()).tumor
        except InputError:
            outcomes["refused"] += 1
        else:
            assert tumor.is_valid
            assert tumor.is_empty or shapely.box(0, 0, 100, 80).buffer(1e-9).covers(tumor)
            outcomes["read"] += 1
        assert time.perf_counter() - start < 5
    return outcomes


def test_a_few_hundred_mutations(tmp_path):
    outcomes = attack(tmp_path, 400, 0)
    assert min(outcomes.values()) > 40


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_many_mutations(tmp_path, seed):
    outcomes = attack(tmp_path, 30_000, seed)
    assert min(outcomes.values()) > 3000
