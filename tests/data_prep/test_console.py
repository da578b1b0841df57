import subprocess
import sys
from importlib import import_module

import pytest

from data_prep.console import progress, run
from data_prep.errors import InputError
from tests.builders import tiny_store


def shout(text: str, times: int = 1) -> str:
    """Repeat a text.

    Args:
        text: what to say
        times: how often (count)
    """
    if times < 1:
        raise InputError(f"times is {times}: give 1 or more")
    return text * times


def test_flags_reach_the_function():
    assert run(shout, "shout", ["--text", "a", "--times", "3"]) == "aaa"


def test_bad_input_is_one_line_and_status_2(capsys):
    with pytest.raises(SystemExit) as stop:
        run(shout, "shout", ["--text", "a", "--times", "0"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "shout: times is 0: give 1 or more\n"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--text", "a", "--tmes", "3"], "Unrecognized options: --tmes"),
        (["--text", "a", "--times", "three"], "Error parsing --times"),
        ([], "--text STR what to say"),
    ],
)
def test_usage_errors_are_one_line_without_a_box(flags, words, capsys):
    with pytest.raises(SystemExit) as stop:
        run(shout, "shout", flags)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert words in error
    assert "│" not in error


def test_ctrl_c_has_its_own_status():
    def interrupted() -> None:
        """Stop at once."""
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stop:
        run(interrupted, "x", [])
    assert stop.value.code == 130


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        run(shout, "shout", ["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("shout 0.")


def test_progress_passes_everything_on():
    assert list(progress(range(3), "count", quiet=True)) == [0, 1, 2]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["nothing"]])
def test_the_command_overview(arguments):
    done = subprocess.run([sys.executable, "-m", "data_prep", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == (2 if arguments == ["nothing"] else 0)
    assert "convert" in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["split", "report", "concepts", "normalize"])
def test_a_seed_below_zero_is_refused(command, tmp_path, capsys):
    store = tiny_store(tmp_path / "a.h5")
    flags = ["--out", str(tmp_path / "b.csv"), "--seed", "-1"]
    with pytest.raises(SystemExit) as stop:
        import_module(f"data_prep.cli.{command}").main([str(store), *flags])
    assert stop.value.code == 2
    assert capsys.readouterr().err.endswith("--seed -1: give 0 or more\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("failure", [InputError("step 1 cannot be taken"), KeyboardInterrupt()])
def test_what_is_said_below_a_progress_bar_has_its_own_line(failure, capsys):
    def measure() -> None:
        """Fail at the second step."""
        for step in progress(range(3), "measure"):
            if step:
                raise failure

    with pytest.raises(SystemExit):
        run(measure, "measure", [])
    assert capsys.readouterr().err.splitlines()[-1].startswith(("measure: step 1 cannot", "measure: interrupted"))


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("concepts", ["--out", "a.h5", "--overwrite"]),
        ("concepts", ["--out", "b.h5", "--csv", "./a.h5", "--overwrite"]),
        ("report", ["--out", "a.h5", "--overwrite"]),
        ("normalize", ["--out", "a.h5", "--overwrite"]),
        ("normalize", ["--out", "b.h5", "--reference", "a.png", "--contact-sheet", "a.png"]),
        ("nuclei", ["--out", "a.h5", "--overwrite", "--mpp", "0.5"]),
        ("nuclei", ["--out", "b.h5", "--segmenter", "masks:a.png", "--overlay", "a.png"]),
        ("split", ["--from", "a.csv", "--out", "a.csv", "--overwrite"]),
    ],
)
def test_what_is_read_is_never_replaced(command, flags, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = tiny_store(tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.csv").write_text("row,role\n0,train\n")
    with pytest.raises(SystemExit) as stop:
        import_module(f"data_prep.cli.{command}").main(["x=a.h5", *flags])
    assert stop.value.code == 2
    assert "a." in (error := capsys.readouterr().err)
    assert error.endswith("is read here and would be replaced; choose another name\n")
    assert (tmp_path / "a.h5").read_bytes() == before


@pytest.mark.parametrize(
    ("command", "flag"), [("concepts", "--csv"), ("nuclei", "--overlay"), ("normalize", "--contact-sheet")]
)
def test_no_file_is_written_twice(command, flag, tmp_path, capsys):
    store, out = tiny_store(tmp_path / "a.h5"), tmp_path / "b.png"
    with pytest.raises(SystemExit) as stop:
        import_module(f"data_prep.cli.{command}").main([str(store), "--out", str(out), flag, str(out)])
    assert stop.value.code == 2
    assert capsys.readouterr().err.endswith("b.png: would be written twice; give each file a name of its own\n")
    assert not out.exists()
