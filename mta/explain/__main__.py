"""`python -m mta.explain COMMAND …`."""

import sys
from collections.abc import Sequence
from importlib import import_module

from data_prep.console import fail, print_version, say

PROG = "python -m mta.explain"
# command -> (module, what it does); modules are imported only when asked for, so that help is instant
COMMANDS = {
    "probe": ("mta.explain.probe", "measure which concepts, classes and centres each layer holds, and which it uses"),
    "umap": ("mta.explain.umap", "draw what layers make of the patches, with the patch on hover"),
    "gradcam": ("mta.explain.gradcam", "draw where each head looks, and measure how true and how sharp that is"),
    "parts": ("mta.explain.parts", "split a layer into parts that mean the same in every patch"),
    "diagnose": ("mta.explain.diagnose", "tell whether the adversary did its work"),
}


def usage() -> str:
    """The overview that `--help` prints."""
    lines = [f"usage: {PROG} COMMAND [--help] …", "", "commands:"]
    return "\n".join(lines + [f"  {name:<9} {text}" for name, (_, text) in COMMANDS.items()])


def main(argv: Sequence[str] | None = None) -> None:
    """Hand over to the command named first in `argv` (default: the process's own arguments)."""
    name, *rest = (sys.argv[1:] if argv is None else list(argv)) or ["--help"]
    if name == "--version":
        print_version(PROG)
    if name in ("--help", "-h"):
        return say(usage())
    if name not in COMMANDS:
        fail(PROG, f"there is no command {name!r}; choose one of {', '.join(COMMANDS)}")
    import_module(COMMANDS[name][0]).main(rest)


if __name__ == "__main__":
    main()
