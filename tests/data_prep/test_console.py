import subprocess
import sys

import pytest

from data_prep.console import progress, run
from data_prep.errors import InputError


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
