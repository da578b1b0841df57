import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "command",
    [["evaluate", "absent"], ["predict", "absent", "x.h5"], ["export", "absent"], ["train", "a.h5", "--out", "r"]],
)
def test_bad_input_is_one_line_in_a_real_process(command, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", f"mta.{command[0]}", *command[1:]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(f"python -m mta.{command[0]}: ")
    assert list(tmp_path.iterdir()) == []


def test_what_was_held_back_is_printed_when_the_import_fails():
    code = (
        "import sys, os; sys.modules['keras'] = None\n"
        "from mta.backend import start_quietly\n"
        "try:\n    start_quietly()\nexcept ImportError:\n    os.write(2, b'after')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith("after")


def test_python_alone_is_on_screen():
    code = (
        "import os, sys\n"
        "from mta.backend import python_alone_on_screen\n"
        "with python_alone_on_screen():\n"
        "    os.write(2, b'native')\n    sys.stderr.write('python;')\n"
        "os.write(2, b'native after;')\n"
        "sys.stderr.write('python after')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == "python;native after;python after"
