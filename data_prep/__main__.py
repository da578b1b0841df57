"""`python -m data_prep COMMAND …`."""

import sys
from importlib import import_module

from data_prep.console import fail, print_version, say

PROG = "python -m data_prep"
# command -> (module, what it does); modules are imported only when asked for, so that help is instant
COMMANDS = {
    "convert": ("data_prep.cli.convert", "make a patch store from images and a CSV, or from another layout"),
    "extract": ("data_prep.cli.extract", "cut patches out of slides, by tissue and annotation"),
    "normalize": ("data_prep.cli.normalize", "give the patches of a store the stains of one reference"),
    "nuclei": ("data_prep.cli.nuclei", "find the nuclei of every patch of a store"),
    "concepts": ("data_prep.cli.concepts", "measure concepts on every patch of a store"),
    "split": ("data_prep.cli.split", "give patches their roles by patient, and check for leaks"),
    "report": ("data_prep.cli.report", "describe a patch store in one HTML page, with warnings"),
    "verify": ("data_prep.cli.verify", "check patch stores for damage and say what to redo"),
    "synthesize": ("data_prep.cli.synthesize", "make a synthetic lymph-node data set with known nuclei"),
    "synthesize-slides": ("data_prep.cli.synthesize_slides", "make small synthetic slides with annotations"),
}


def usage() -> str:
    """The overview that `--help` prints."""
    lines = [f"usage: {PROG} COMMAND [--help] …", "", "commands:"]
    return "\n".join(lines + [f"  {name:<17} {text}" for name, (_, text) in COMMANDS.items()])


def main() -> None:
    """Hand over to the command named first."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name == "--version":
        print_version(PROG)
    if name in ("--help", "-h"):
        return say(usage())
    if name not in COMMANDS:
        fail(PROG, f"there is no command {name!r}; choose one of {', '.join(COMMANDS)}")
    import_module(COMMANDS[name][0]).main(sys.argv[2:])


if __name__ == "__main__":
    main()
