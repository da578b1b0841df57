"""`python -m data_prep extract`: what it prints, what it leaves, how it exits."""

import os
import subprocess
import sys

import numpy as np
import pytest
import shapely
from PIL import Image

from data_prep.cli.extract import main
from data_prep.slides import open_slide
from data_prep.store import open_patches
from tests.data_prep.annotations.samples import feature, write_geojson

FLAGS = ["--size", "64", "--n", "5", "--slide-mpp", "0.5", "--mpp", "0.5", "--quiet"]


def run(*arguments):
    """The exit status."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code
    return 0


def annotate(path, geometry, group="metastases"):
    corners = "".join(
        f'<Coordinate Order="{n}" X="{x}" Y="{y}"/>' for n, (x, y) in enumerate(geometry.exterior.coords[:-1])
    )
    path.write_text(
        f'<ASAP_Annotations><Annotations><Annotation Name="A" Type="Polygon" PartOfGroup="{group}">'
        f"<Coordinates>{corners}</Coordinates></Annotation></Annotations></ASAP_Annotations>"
    )


def test_slides_and_a_folder_of_annotations(painted, tmp_path, capsys):
    a, b = painted("a").path, painted("b").path
    (tmp_path / "xml").mkdir()
    annotate(tmp_path / "xml" / "a.xml", shapely.box(60, 60, 300, 300))
    annotate(tmp_path / "xml" / "c.xml", shapely.box(60, 60, 300, 300))
    (tmp_path / "xml" / "tiles224.csv").write_text("a\n")
    out = tmp_path / "s.h5"
    assert run(b, a, "--annotations", tmp_path / "xml", "--out", out, *FLAGS) == 0
    printed = capsys.readouterr()
    assert (
        printed.out
        == f"{out}: 15 patches (5 normal, 5 tumor, 5 unlabelled) of 2 slides, 0 failed; see {tmp_path}/s.summary.md\n"
    )
    assert (
        f"warning: no annotation for b: their patches are unlabelled; {tmp_path}/xml would hold b.xml, b.geojson or "
        "b_mask.png; a table (--cohort FILE.csv) names any file in its column annotation\n"
    ) in printed.err
    assert f"warning: {tmp_path}/xml: c.xml belong to none of these slides by name" in printed.err
    rows = open_patches(out).rows
    assert rows.groupby("slide", sort=False)["label"].unique().map(list).to_dict() == {"b": [-1], "a": [0, 1]}
    assert run(b, a, "--annotations", tmp_path / "xml", "--out", out, *FLAGS) == 0
    assert "complete already" in capsys.readouterr().out


def test_a_folder_that_matches_nothing_names_what_would(painted, tmp_path, capsys):
    (tmp_path / "xml").mkdir()
    (tmp_path / "xml" / "tiles224.csv").write_text("a\n")
    assert run(painted("a").path, "--annotations", tmp_path / "xml", "--out", tmp_path / "s.h5", *FLAGS) == 0
    error = capsys.readouterr().err
    assert f"{tmp_path}/xml would hold a.xml, a.geojson or a_mask.png" in error
    assert "tiles224" not in error


@pytest.mark.parametrize("sampling", ["random", "grid", "original"])
def test_no_normal_patch_touches_a_region_of_unknown_class(painted, tmp_path, capsys, sampling):
    slide, unknown = painted("a").path, shapely.box(200, 60, 440, 200)
    tumor = shapely.box(60, 60, 190, 190)
    shapes = [("Tumor", tumor), ("Carcinoma in situ", unknown), ("Normal", shapely.box(60, 250, 200, 340))]
    features = [feature([list(shape.exterior.coords)], name) for name, shape in shapes]
    write_geojson(tmp_path / "a.geojson", features)
    count = [] if sampling == "grid" else ["--n", "60"]
    margin = ["--margin", "0"] if sampling == "original" else ["--mpp", "0.5"]
    flags = ["--size", "32", "--slide-mpp", "0.5", "--sampling", sampling, "--quiet", *count, *margin]
    assert run(slide, "--annotations", tmp_path, "--out", tmp_path / "s.h5", *flags) == 0
    rows = open_patches(tmp_path / "s.h5").rows.query("label == 0")
    patches = shapely.box(rows["x"], rows["y"], rows["x"] + 32, rows["y"] + 32)
    assert len(patches) > 5
    assert not shapely.intersects(patches, unknown).any()
    if sampling != "original":  # its mask has five by four pixels here
        assert not shapely.intersects(patches, tumor).any()
        assert shapely.intersects(patches, shapes[2][1]).any()
    assert capsys.readouterr().err == (
        "warning: a: regions of unknown class ('Carcinoma in situ') are neither tumor nor normal; "
        "rename those that are tumor to Tumor, those free of it to Normal\n"
    )
    assert "a: left aside: 1 of class Carcinoma in situ" in (tmp_path / "s.summary.md").read_text()


def test_no_patch_lies_in_a_region_that_is_to_be_ignored(painted, tmp_path, capsys):
    slide, tumor, ignored = painted("a").path, shapely.box(60, 60, 190, 190), shapely.box(200, 60, 440, 340)
    shapes = [("Tumor", tumor), ("Ignore*", ignored)]
    write_geojson(tmp_path / "a.geojson", [feature([list(shape.exterior.coords)], name) for name, shape in shapes])
    flags = ["--size", "32", "--slide-mpp", "0.5", "--mpp", "0.5", "--sampling", "grid", "--quiet"]
    assert run(slide, "--annotations", tmp_path, "--out", tmp_path / "s.h5", *flags) == 0
    rows = open_patches(tmp_path / "s.h5").rows
    patches = shapely.box(rows["x"], rows["y"], rows["x"] + 32, rows["y"] + 32)
    assert set(rows["label"]) == {0, 1}
    assert not shapely.intersects(patches, ignored).any()
    assert capsys.readouterr().err == ""


def test_too_few_patches_are_explained(painted, tmp_path):
    annotate(tmp_path / "a.xml", shapely.box(60, 60, 300, 300))
    flags = ["--size", "64", "--n", "500", "--slide-mpp", "0.5", "--mpp", "0.5", "--quiet"]
    assert run(painted("a").path, "--annotations", tmp_path, "--out", tmp_path / "s.h5", *flags) == 0
    text = (tmp_path / "s.summary.md").read_text()
    assert (
        "normal patches: no further place has enough tissue outside of the annotation without "
        "overlap; --tissue saturation may see more\n" in text
    )
    assert "tumor patches: no further place has enough of it annotated without overlap\n" in text


def test_a_table_of_slides(painted, tmp_path):
    painted("a"), painted("b")
    (tmp_path / "t.csv").write_text("slide,patient,centre,mpp,label\nb.png,p1,2,0.5,normal\na.png,p2,0,0.5,\n")
    flags = ["--size", "64", "--n", "3", "--mpp", "1", "--quiet"]
    assert run("--cohort", tmp_path / "t.csv", "--out", tmp_path / "s.h5", *flags) == 0
    rows = open_patches(tmp_path / "s.h5").rows
    assert rows["patient"].tolist() == ["p1"] * 3 + ["p2"] * 3
    assert rows["centre"].tolist() == ["2"] * 3 + ["0"] * 3
    assert rows["label"].tolist() == [0] * 3 + [-1] * 3


def test_camelyon_names_and_its_table_of_stages(painted, tmp_path, capsys):
    slides = [painted(name).path for name in ("patient_004_node_4", "patient_021_node_0", "patient_099_node_1")]
    (tmp_path / "stages.csv").write_text(
        "patient,stage\npatient_004.zip,pN0\npatient_004_node_4.tif,negative\npatient_021_node_0.tif,itc\n"
    )
    options = ["--cohort", "camelyon", "--stages", tmp_path / "stages.csv", "--itc", "leave-out"]
    assert run(*slides, *options, "--out", tmp_path / "s.h5", *FLAGS) == 0
    rows = open_patches(tmp_path / "s.h5").rows
    assert rows["slide"].unique().tolist() == ["camelyon17_patient004_node4", "camelyon17_patient099_node1"]
    assert rows.groupby("centre")["label"].unique().map(list).to_dict() == {"0": [0], "4": [-1]}
    assert "isolated tumor cells only (ITC) are left out" in capsys.readouterr().out


def test_one_bad_slide_is_exit_1(painted, tmp_path, capsys):
    good, bad = painted("a").path, painted("b").path
    bad.write_bytes(good.read_bytes()[:500])
    assert run(good, bad, "--out", tmp_path / "s.h5", *FLAGS) == 1
    printed = capsys.readouterr()
    assert f"warning: b: {bad}: " in printed.err
    assert "5 patches (5 unlabelled) of 2 slides, 1 failed" in printed.out
    assert len(open_patches(tmp_path / "s.h5")) == 5


def glass(painted, tmp_path):
    return [painted("glass", tissue=245).path], [f"{tmp_path}/glass.png: no tissue found"]


def pale(painted, tmp_path):
    slide = painted("pale", tissue=205, glass=245).path
    return [slide, "--white-share-max", "0.3"], [f"{slide}: not one of", "all white, black or dark"]


def black(painted, tmp_path):
    Image.new("RGB", (320, 320)).save(tmp_path / "black.png")
    return [tmp_path / "black.png"], ["no tissue found; look at its preview, or try the other --tissue"]


def small(painted, tmp_path):
    Image.new("RGB", (50, 50), (150, 100, 150)).save(tmp_path / "small.png")
    return [tmp_path / "small.png"], ["no place for a patch: lower --coverage, --size or --margin"]


def truncated(painted, tmp_path):
    path = painted("a").path
    path.write_bytes(path.read_bytes()[:300])
    return [path], [f"{tmp_path}/a.png: "]


def upsampled(painted, tmp_path):
    return [painted("a").path, "--mpp", "0.25"], ["coarser than the 0.25 asked for", "--allow-upsampling"]


def foreign(painted, tmp_path):
    annotate(tmp_path / "a.xml", shapely.box(60_000, 60_000, 61_000, 61_000))
    return [painted("a").path, "--annotations", tmp_path], [f"{tmp_path}/a.xml: "]


def absent(painted, tmp_path):
    return [tmp_path / "none.svs"], ["none.svs: there is no such slide; check the path"]


def nothing(painted, tmp_path):
    return [], ["no slide given; name slides, or a table of them with --cohort FILE.csv"]


def both(painted, tmp_path):
    return [painted("a").path, "--cohort", "t.csv"], ["t.csv: a table names its slides"]


def workers(painted, tmp_path):
    return [painted("a").path, "--workers", "0"], ["--workers 0: give 1 or more"]


def in_place(painted, tmp_path):
    slide = painted("a").path
    return [slide, "--out", slide, "--overwrite"], [f"{slide}: is read here and would be replaced"]


def over_its_mask(painted, tmp_path):
    slide = painted("a").path
    (tmp_path / "masks").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "masks" / "a.png")
    flags = ["--annotations", tmp_path / "masks", "--previews", tmp_path / "masks"]
    return [slide, *flags], [f"{tmp_path}/masks/a.png: is read here and would be replaced"]


def over_its_table(painted, tmp_path):
    (tmp_path / "t.csv").write_text(f"slide\n{painted('a').path}\n")
    return ["--cohort", tmp_path / "t.csv", "--out", tmp_path / "t.csv"], ["t.csv: is read here and would be replaced"]


def coverage(painted, tmp_path):
    return [painted("a").path, "--coverage", "1.5"], ["--coverage is 1.5: give a value from 0.01 to 1"]


def grid(painted, tmp_path):
    return [painted("a").path, "--sampling", "grid"], ["--n is for random and original sampling"]


def stride(painted, tmp_path):
    return [painted("a").path, "--stride", "3"], ["--stride is for --sampling grid"]


def scaled_original(painted, tmp_path):
    return [painted("a").path, "--sampling", "original"], ["--mpp is for random and grid sampling", "leave it out"]


def stages_of_other_names(painted, tmp_path):
    (tmp_path / "stages.csv").write_text("patient,stage\npatient_004_node_4.tif,negative\n")
    slide = painted("patient_004_node_4").path
    return [slide, "--stages", tmp_path / "stages.csv"], ["none of these slides is in the table", "--cohort camelyon"]


def folder(painted, tmp_path):
    return [painted("a").path, "--annotations", tmp_path / "none"], ["none: no folder of annotations"]


BAD = [
    glass,
    pale,
    black,
    small,
    truncated,
    upsampled,
    foreign,
    absent,
    nothing,
    both,
    workers,
    in_place,
    over_its_mask,
    over_its_table,
    coverage,
    grid,
    stride,
    scaled_original,
    stages_of_other_names,
    folder,
]


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_no_store(case, painted, tmp_path, capsys):
    arguments, texts = case(painted, tmp_path)
    assert run(*FLAGS, "--out", tmp_path / "s.h5", *arguments) == 2
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if not line.startswith("warning")]
    assert len(lines) == 1
    assert lines[0].startswith("python -m data_prep extract: ")
    assert all(text in error for text in texts), error
    assert not (tmp_path / "s.h5").exists()


def test_a_slide_without_a_patch_is_a_warning_beside_others(painted, tmp_path, capsys):
    slides = [painted("a").path, painted("glass", tissue=245).path]
    assert run(*slides, "--out", tmp_path / "s.h5", *FLAGS) == 0
    assert "warning: glass: " in capsys.readouterr().err
    assert "## Without a patch" in (tmp_path / "s.summary.md").read_text()
    assert run(*slides, "--out", tmp_path / "s.h5", *FLAGS) == 0
    assert "complete already" in capsys.readouterr().out


def test_without_a_scale_the_remedy_is_said(painted, tmp_path, capsys):
    assert run(painted("a").path, "--out", tmp_path / "s.h5", "--quiet") == 2
    assert "a column mpp in the table of slides, or --slide-mpp (in Python mpp=0.25, say)" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["file/s.h5", ".", "/proc/none/s.h5"])
def test_a_place_that_cannot_be_written_is_one_line_before_any_work(painted, tmp_path, where, capsys):
    (tmp_path / "file").write_text("")
    slide = painted("a").path
    assert run(slide, "--out", tmp_path / where, *FLAGS) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "is a folder; name a file" in error or "could not be written: " in error


def test_upsampling_where_it_is_allowed(painted, tmp_path):
    entry = painted("a")
    flags = ["--size", "64", "--n", "2", "--slide-mpp", "0.5", "--mpp", "0.25", "--allow-upsampling", "--quiet"]
    assert run(entry.path, "--out", tmp_path / "s.h5", *flags) == 0
    with open_patches(tmp_path / "s.h5") as patches, open_slide(entry.path, 0.5) as slide:
        row = patches.rows.iloc[1]
        np.testing.assert_array_equal(patches[1], slide.read(row["x"], row["y"], 64, 0.25))


def test_defaults_are_those_of_the_settings():
    import inspect

    from data_prep.cli.extract import extract
    from data_prep.extraction import ExtractionSettings

    settings, given = ExtractionSettings(), inspect.signature(extract).parameters
    for name in ("mpp", "size", "tissue", "sampling", "stride", "coverage", "margin", "seed", "allow_upsampling"):
        assert given[name].default == getattr(settings, name)
    for name in ("white_level", "white_share", "white_share_max", "least_mean"):
        assert given[name].default == getattr(settings.limits, name)


_PEAK = """
import re, sys
from pathlib import Path
from data_prep.cohorts import SlideEntry
from data_prep.extraction import ExtractionSettings, extract
settings = ExtractionSettings(mpp=0.5, size=224, sampling="grid", stride=int(sys.argv[2]))
extract([SlideEntry(Path(sys.argv[1]), "a")], settings, Path(sys.argv[3]))
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="peak memory is read from /proc")
def test_memory_is_flat_in_the_number_of_patches(tmp_path):
    """The second store holds 120 MiB more of pixels."""
    from tests.data_prep.slides.samples import write_tiff

    image = np.random.default_rng(0).integers(90, 180, (1600, 1600, 3), dtype=np.uint8)
    path, peaks, sizes = write_tiff(tmp_path / "a.tif", image, compression=None), [], []
    for stride in (48, 32):
        out = tmp_path / f"{stride}.h5"
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, path, str(stride), out], check=True, capture_output=True, text=True
        )
        peaks.append(int(done.stdout) // 1024)
        sizes.append(out.stat().st_size >> 20)
    assert sizes[1] - sizes[0] > 120
    assert peaks[1] - peaks[0] < 40
