"""`python -m mta.explain COMMAND …`."""

import sys
from collections.abc import Sequence

from data_prep.dispatch import dispatch

PROG = "python -m mta.explain"
# command -> (module, what it does)
COMMANDS = {
    "probe": ("mta.explain.probe", "measure which concepts, classes and centres each layer holds, and which it uses"),
    "umap": ("mta.explain.umap", "draw what layers make of the patches, with the patch on hover"),
    "gradcam": ("mta.explain.gradcam", "draw where each head looks, and measure how true and how sharp that is"),
    "parts": ("mta.explain.parts", "split a layer into parts that mean the same in every patch"),
    "diagnose": ("mta.explain.diagnose", "tell whether the adversary did its work"),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Hand over to the command named first in `argv` (default: the process's own arguments)."""
    dispatch(PROG, COMMANDS, sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    main()
