"""The readers on mutated files: a valid tumor on the slide, or one line. `make test-slow` runs the long one."""

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
TOKENS = [
    *(
        b"<",
        b">",
        b"/>",
        b"</",
        b'"',
        b"&",
        b"&#0;",
        b"&lt;",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"<?",
        b"<!DOCTYPE a>",
    ),
    *(b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"NaN", b"\\u0000", b"\\ud800", b"\xff", b"\0", b"\n"),
    *(
        b"0",
        b"-1",
        b"1e308",
        b"1e-308",
        b"99999999999999999999",
        b"0x10",
        b"10",
        b"50",
        b"50.000000001",
        b".5",
        b"80",
        b"100",
    ),
    *(
        b"Polygon",
        b"MultiPolygon",
        b"Feature",
        b"Tumor",
        b"Exclusion",
        b"_0",
        b"_2",
        b"Annotation",
        b"Coordinate",
        b"Order",
    ),
]


def mutated(data: bytes, generator: np.random.Generator) -> bytes:
    """`data` with up to eight bytes flipped, and pieces cut, repeated, moved or replaced by tokens."""
    for _ in range(generator.integers(1, 9)):
        start, end = sorted(generator.integers(0, len(data) + 1, 2).tolist())
        end = min(end, start + int(generator.integers(1, 60)))
        piece, elsewhere = data[start:end], int(generator.integers(0, len(data) + 1))
        changes = {
            0: lambda: data[:start] + bytes([generator.integers(256)]) + data[start + 1 :],
            1: lambda: data[:start] + data[end:],
            2: lambda: data[:start] + piece * int(generator.integers(2, 20)) + data[end:],
            3: lambda: data[:elsewhere] + piece + data[elsewhere:],
            4: lambda: data[:start] + TOKENS[generator.integers(len(TOKENS))] + data[end:],
            5: lambda: data[:start] + TOKENS[generator.integers(len(TOKENS))] + data[start:],
        }
        data = changes[int(generator.integers(6))]()
    return data


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    """Sound files and the corpus, each with its ending."""
    sound = [
        write_asap(folder / "a.xml", polygon(SQUARE), polygon(HOLE, "_2"), polygon(BOW_TIE, "_0")),
        write_geojson(folder / "a.geojson", [feature([SQUARE, HOLE]), feature([[BOW_TIE]], "Ignore*", "MultiPolygon")]),
    ]
    return [(path.suffix, path.read_bytes()) for path in [*sound * 10, *CORPUS]]


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
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
            outcomes["refused"] += 1
        else:
            assert tumor.is_valid
            assert shapely.box(-1e-9, -1e-9, 100 + 1e-9, 80 + 1e-9).covers(tumor)
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
