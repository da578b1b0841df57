"""`python -m mta.explain` answers at once and hands over to its commands."""

import subprocess
import sys

import pytest

from mta.explain.__main__ import COMMANDS, main


def test_help_lists_every_command_without_loading_keras():
    code = "import sys, mta.explain.__main__ as m; m.main(['--help']); assert 'keras' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


def test_an_unknown_command_is_one_line(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["prob", "run"])
    assert stop.value.code == 2
    assert "there is no command 'prob'; choose one of probe, umap" in capsys.readouterr().err
