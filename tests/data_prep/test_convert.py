import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from data_prep.cli.convert import main
from data_prep.store import open_concepts, open_patches
from tests.data_prep.store.samples import camelyon, pannuke, pixels
from tests.data_prep.store.test_images import saved

HEADER = "path,label,patient,slide,centre,role,x,y,mpp,narea [px],note\n"


def table(folder, lines=None, size=8):
    """Three images and a table in the style of PCam."""
    (folder / "images").mkdir(exist_ok=True)
    for number, image in enumerate(pixels(3, size)):
        saved(folder / "images" / f"{number}.png", image)
    lines = lines or [
        "images/0.png,tumour,p1,s1,2,train,5,6,0.25,10.5,a",
        "images/1.png,non_tumour,p2,s2,,validation,,,,,b",
        "images/2.png,,p2,s2,4,,7,8,0.5,3,",
    ]
    (folder / "t.csv").write_text(HEADER + "\n".join(lines) + "\n")
    return str(folder / "t.csv")


LABELS = ["--label-map", "tumour=tumor,non_tumour=normal"]


def failure(capsys, *arguments):
    """The single line on standard error of a command that leaves with status 2."""
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments), "--quiet"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("python -m data_prep convert: ")
    return error


def test_a_table_of_images(tmp_path, capsys):
    out = tmp_path / "out.h5"
    main([table(tmp_path), str(out), *LABELS, "--quiet"])
    assert capsys.readouterr().out.splitlines() == [
        "ignored columns: note",
        f"{out}: 3 patches of 8x8 (1 normal, 1 tumor, 1 unlabelled)",
        "concepts: narea",
    ]
    with open_patches(out) as patches:
        np.testing.assert_array_equal(patches.read(0, 3), pixels(3))
        rows = patches.rows
    assert rows["label"].tolist() == [1, 0, -1]
    assert rows["centre"].tolist() == ["2", "", "4"]
    assert rows["role"].tolist() == ["train", "validation", ""]
    assert rows["x"].tolist() == [5, -1, 7]
    assert rows["entry"].tolist() == [f"images/{i}.png" for i in range(3)]
    assert set(rows["source"]) == {"t"}
    np.testing.assert_array_equal(rows["mpp"], [0.25, np.nan, 0.5])
    concepts = open_concepts(out)
    np.testing.assert_array_equal(concepts["narea"], [10.5, np.nan, 3])
    assert concepts.attrs["units"] == {"narea": "px"}


def test_size_and_resize(tmp_path):
    main([table(tmp_path), str(tmp_path / "crop.h5"), *LABELS, "--size", "4", "--quiet"])
    np.testing.assert_array_equal(open_patches(tmp_path / "crop.h5").read(0, 3), pixels(3)[:, 2:6, 2:6])
    main([table(tmp_path), str(tmp_path / "small.h5"), *LABELS, "--size", "4", "--fit", "resize", "--quiet"])
    small = open_patches(tmp_path / "small.h5")
    assert small.size == (4, 4)
    # Pixels twice as large; each is the mean of four.
    np.testing.assert_array_equal(small.rows["mpp"], [0.5, np.nan, 1.0])
    means = pixels(3).reshape(3, 4, 2, 4, 2, 3).mean((2, 4))
    np.testing.assert_allclose(small.read(0, 3), means, atol=1)


def test_concepts_from_a_file_beside(tmp_path):
    (tmp_path / "c.csv").write_text("row,ncount [nuclei]\n1,12\n")
    out = tmp_path / "out.h5"
    main([table(tmp_path), str(out), *LABELS, "--concepts", str(tmp_path / "c.csv"), "--quiet"])
    np.testing.assert_array_equal(open_concepts(out)["ncount"], [np.nan, 12, np.nan])
    assert open_concepts(out).attrs["units"] == {"narea": "px", "ncount": "nuclei"}
    camelyon(tmp_path / "cam.h5")
    (tmp_path / "c.csv").write_text("row,ncount\n7,1\n")
    main([str(tmp_path / "cam.h5"), str(tmp_path / "f.h5"), "--concepts", str(tmp_path / "c.csv"), "--quiet"])
    # A store made of stores keeps their concepts.
    main([f"a={tmp_path / 'f.h5'},b={pannuke(tmp_path / 'p.h5')}", str(tmp_path / "g.h5"), "--quiet"])
    assert open_concepts(tmp_path / "g.h5")["ncount"].dropna().to_dict() == {7: 1.0}


def test_there_and_back(tmp_path, capsys):
    camelyon(tmp_path / "cam.h5")
    main([str(tmp_path / "cam.h5"), str(tmp_path / "flat.h5"), "--quiet"])
    main([str(tmp_path / "flat.h5"), str(tmp_path / "back.h5"), "--to", "original", "--quiet"])
    with open_patches(tmp_path / "cam.h5") as first, open_patches(tmp_path / "back.h5") as second:
        np.testing.assert_array_equal(first.read(0, 8), second.read(0, 8))
        assert first.rows.drop(columns="source").equals(second.rows.drop(columns="source"))
    assert capsys.readouterr().out.endswith("back.h5: written in the original layout\n")


def test_a_column_without_a_header_is_no_concept(tmp_path, capsys):
    table(tmp_path)
    (tmp_path / "t.csv").write_text(",path,label,ncount\n5,images/0.png,tumor,1\n")
    main([str(tmp_path / "t.csv"), str(tmp_path / "out.h5"), "--quiet"])
    assert list(open_concepts(tmp_path / "out.h5")) == ["ncount"]
    assert capsys.readouterr().out.startswith("ignored columns: Unnamed: 0\n")
    (tmp_path / "t.csv").write_text("path,label,n/area\nimages/0.png,tumor,1\n")
    assert "cannot be named 'n/area'" in failure(capsys, tmp_path / "t.csv", tmp_path / "new.h5")


def test_a_column_mostly_of_text_is_ignored(tmp_path, capsys):
    table(tmp_path)
    cells = zip(("red", "1", "blue"), ("1", "2", ""), strict=True)
    lines = [f"images/{number}.png,tumor,{text},{value}" for number, (text, value) in enumerate(cells)]
    (tmp_path / "t.csv").write_text("path,label,color,ncount\n" + "\n".join(lines) + "\n")
    main([str(tmp_path / "t.csv"), str(tmp_path / "out.h5"), "--quiet"])
    assert list(open_concepts(tmp_path / "out.h5")) == ["ncount"]
    assert capsys.readouterr().out.startswith("ignored columns: color\n")


def test_unusual_images_are_counted(tmp_path, capsys):
    path = table(tmp_path)
    saved(tmp_path / "images" / "1.png", pixels(1)[0, ..., 0])
    saved(tmp_path / "images" / "2.png", pixels(1)[0].astype(np.uint16) * 257)
    main([path, str(tmp_path / "out.h5"), *LABELS, "--quiet"])
    assert capsys.readouterr().err.splitlines() == [
        "warning: 1 image: 16-bit scaled to 8-bit",
        "warning: 1 image: gray to RGB",
    ]
    np.testing.assert_array_equal(open_patches(tmp_path / "out.h5")[2], pixels(1)[0])


@pytest.mark.parametrize(
    ("header", "line", "flags", "message"),
    [
        ("path,centre", "images/0.png,1", [], "no column label; a table has path,label"),
        (
            "path,label",
            "images/0.png,benign",
            [],
            "unknown labels 'benign'; say what they mean, as in --label-map benign=",
        ),
        ("path,label,role", "images/0.png,tumor,test", [], "unknown roles 'test'; they are train, validation"),
        ("path,label,x", "images/0.png,tumor,left", [], "line 2: x is 'left', not a number"),
        ("path,label,x", "images/0.png,tumor,1.7", [], "line 2: x is '1.7', not a whole number"),
        ("path,label,y", "images/0.png,tumor,inf", [], "line 2: y is 'inf', not a finite number"),
        ("path,label,x", "images/0.png,tumor,1e300", [], "line 2: x is '1e300', not a whole number"),
        ("path,label,mpp", "images/0.png,tumor,inf", [], "line 2: mpp is 'inf', not a finite number"),
        ("path,label,mpp", "images/0.png,tumor,0", [], "line 2: mpp is '0', not a number above 0"),
        ("path,label,a [px],a [um2]", "images/0.png,tumor,1,2", [], "several columns are called a"),
        ("path,label,slide,slide", "images/0.png,tumor,1,2", [], "several columns are called slide"),
        ("path,label,c", "images/0.png,tumor,red", ["--concept-columns", "c"], "line 2: c is 'red', not a number"),
        ("path,label", "images/0.png,tumor", ["--concept-columns", "c"], "no column c to take as a concept"),
        ("path,label", "images/9.png,tumor", [], "9.png: the image cannot be opened"),
        ("path,label", "t.csv,tumor", [], "t.csv: not an image that can be read"),
        ("path,label", "images/0.png,tumor", ["--size", "9"], "8x8 pixels are too few to crop 9"),
        ("path,label", "images/0.png,tumor\nimages/odd.png,tumor", [], "odd.png: 9x9 pixels, the first image has 8x8"),
        (
            "path,label,c",
            "images/0.png,tumor,1\nimages/1.png,tumor,\nimages/2.png,tumor,n/a",
            [],
            "line 4: c is 'n/a', not a number; empty means unknown; empty the cell, or name the concepts with",
        ),
        ("path,label,c", "images/0.png,tumor,inf", [], "line 2: c is 'inf', not a finite number"),
        (
            "path,label",
            "images/0.png,tumor\nimages/1.png,tumor\n./images/../images/0.png,normal",
            [],
            "t.csv, lines 2, 4: all name the image",
        ),
        ("path,label", "", [], "no line below its header"),
        ("path,label", "images/0.png,tumor", ["--label-map", "a=b"], "--label-map a=b: write theirs=ours"),
    ],
)
def test_bad_tables(tmp_path, capsys, header, line, flags, message):
    path = table(tmp_path)
    saved(tmp_path / "images" / "odd.png", pixels(1, 9)[0])
    (tmp_path / "t.csv").write_text(f"{header}\n{line}\n")
    assert message in failure(capsys, path, tmp_path / "out.h5", *flags)
    assert not [name for name in tmp_path.iterdir() if "out.h5" in name.name]


def test_names_that_look_like_nothing_are_names(tmp_path):
    path = table(tmp_path, ["images/0.png,,NA,null,None,,,,,,", "images/1.png,,nan,N/A,,,,,,,"])
    main([path, str(tmp_path / "out.h5"), "--quiet"])
    rows = open_patches(tmp_path / "out.h5").rows
    assert rows[["patient", "slide", "centre"]].to_numpy().tolist() == [["NA", "null", "None"], ["nan", "N/A", ""]]


def test_concepts_of_another_store_are_not_dropped(tmp_path, capsys):
    (tmp_path / "c.csv").write_text("row,ncount\n0,1\n3,2\n")
    message = failure(capsys, table(tmp_path), tmp_path / "out.h5", *LABELS, "--concepts", tmp_path / "c.csv")
    assert "concepts for row 3 but there are 3; they are of another store" in message
    (tmp_path / "d.csv").mkdir()
    assert "d.csv: cannot be read (Is a directory)" in failure(capsys, tmp_path / "d.csv", tmp_path / "out.h5")


def test_bad_commands(tmp_path, capsys):
    out = tmp_path / "out.h5"
    out.write_text("mine")
    assert "exists already; choose another name or add --overwrite" in failure(capsys, table(tmp_path), out)
    main([table(tmp_path), str(out), *LABELS, "--overwrite", "--quiet"])
    assert len(open_patches(out)) == 3
    assert "is a folder; name a file" in failure(capsys, table(tmp_path), tmp_path, *LABELS, "--overwrite")
    new = tmp_path / "new.h5"
    for size in ("0", "-5", "5000"):
        line = failure(capsys, table(tmp_path), new, *LABELS, "--size", size)
        assert f"--size {size}: the patches would have {size}x{size} pixels; patches have 1 to 4096 a side" in line
    assert "no such file" in failure(capsys, tmp_path / "no.csv", new)
    assert "no such file" in failure(capsys, tmp_path / "no.h5", new)
    assert "--size is for tables" in failure(capsys, out, new, "--size", "4")
    for flags, said in (
        (["--only", "cam16"], "--only is for --to original"),
        (["--label-map", "a=tumor"], "--label-map is for tables"),
        (["--fit", "resize"], "--fit is for tables"),
        (["--to", "original", "--channel-order", "bgr"], "--channel-order is for stores that become flat"),
        (["--to", "original", "--concepts", table(tmp_path)], "--concepts is for what becomes flat"),
    ):
        assert said in failure(capsys, out, new, *flags)
    for flags, said in (
        (["--channel-order", "bgr"], "--channel-order is for stores that become flat"),
        (["--to", "original"], "--to original is for stores"),
    ):
        assert said in failure(capsys, table(tmp_path), new, *flags)
    assert "no original layout to go back to" in failure(capsys, out, new, "--to", "original")
    assert not new.exists()


def test_what_is_read_is_not_replaced(tmp_path, capsys):
    source = table(tmp_path)
    before = Path(source).read_bytes()
    assert "is read here and would be replaced" in failure(capsys, source, source, *LABELS, "--overwrite")
    assert Path(source).read_bytes() == before


def test_help_is_fast_and_names_units():
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "data_prep", "convert", "--help"], capture_output=True, text=True, check=True
    )
    assert time.perf_counter() - start < 5
    assert "pixels" in done.stdout


def test_a_full_disk_is_one_line(tmp_path):
    path = table(tmp_path, size=400)
    done = subprocess.run(
        [sys.executable, "-m", "data_prep", "convert", path, str(tmp_path / "out.h5"), *LABELS, "--quiet"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, resource.RLIM_INFINITY)),
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "out.h5: could not be written: the file would be larger" in done.stderr
    assert sorted(name.name for name in tmp_path.iterdir()) == ["images", "t.csv"]


def test_real_images(shared, tmp_path):
    labels = (shared / "data" / "pannuke" / "labels.csv").read_text().splitlines()
    folder = shared / "data" / "pannuke" / "images"
    lines = [f"{folder / line.split(',')[0]}.jpg,{line}" for line in labels[1:9]]
    (tmp_path / "t.csv").write_text(f"path,{labels[0]}\n" + "\n".join(lines) + "\n")
    flags = ["--label-map", "tumour=tumor,non_tumour=normal,unknown=", "--size", "224", "--quiet"]
    main([str(tmp_path / "t.csv"), str(tmp_path / "out.h5"), *flags])
    patches = open_patches(tmp_path / "out.h5")
    assert patches.size == (224, 224)
    assert open_concepts(tmp_path / "out.h5")["n_components"][0] == 13
    # Hematoxylin and eosin: purple, so green is the darkest channel.
    red, green, blue = patches.read(0, 8).mean((0, 1, 2))
    assert green < min(red, blue)
