"""Commands by name behind one `python -m PACKAGE`."""

from collections.abc import Mapping, Sequence
from importlib import import_module

from data_prep.console import fail, print_version, say


def dispatch(prog: str, commands: Mapping[str, tuple[str, str]], argv: Sequence[str]) -> None:
    """Hand over to the command that `argv` names first, with what follows; help and version are answered here.

    `commands`: name -> (module with a `main`, what it does). Modules are imported only when asked for, so that help is
    instant. Exits with status 2 for a command that is not there.
    """
    name, *rest = argv or ["--help"]
    if name == "--version":
        print_version(prog)
    if name in ("--help", "-h"):
        return say(_usage(prog, commands))
    if name not in commands:
        fail(prog, f"there is no command {name!r}; choose one of {', '.join(commands)}")
    import_module(commands[name][0]).main(rest)


def _usage(prog: str, commands: Mapping[str, tuple[str, str]]) -> str:
    width = max(map(len, commands))
    lines = [f"usage: {prog} COMMAND [--help] …", "", "commands:"]
    return "\n".join(lines + [f"  {name:<{width}} {text}" for name, (_, text) in commands.items()])
