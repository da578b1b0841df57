"""`python -m data_prep COMMAND …`."""

import sys

from data_prep.dispatch import dispatch

PROG = "python -m data_prep"
# command -> (module, what it does)
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


def main() -> None:
    """Hand over to the command named first."""
    dispatch(PROG, COMMANDS, sys.argv[1:])


if __name__ == "__main__":
    main()
