"""`python -m mta.embed`: a patch store as embeddings of a frozen network."""

from pathlib import Path

from data_prep.console import require_seed
from data_prep.console import run as run_command
from data_prep.errors import InputError

PROG = "python -m mta.embed"


def embed(
    store: str,
    /,
    out: Path,
    concepts: Path | None = None,
    names: tuple[str, ...] = (),
    backbone: str = "MobileNetV2",
    weights: str = "imagenet",
    cut: str = "",
    varied: int = 0,
    sigma: float = 0.2,
    seed: int = 0,
    quiet: bool = False,
) -> Path:
    """Write what a layer of a frozen network makes of every patch, so that studies train heads alone, in seconds a run.

    OUT/embeddings.csv is the table that mta.train takes in place of a store. Beside it is for each patient an HDF5 file
    in the layout of CLAM and a CSV of labels and concepts (several where a patient's patches have several roles or
    centres), and with --varied OUT/varied.csv: the same rows and after them the copies, which is stain augmentation
    computed ahead.

    Args:
        store: patch store (or several, as name=path,name=path).
        out: folder for what is made.
        concepts: concept table (default: the concepts of the store).
        names: concepts to keep (default: all).
        backbone: network of keras.applications, or SmallCNN.
        weights: imagenet, none (random), or a weights file of the network without its top.
        cut: layer whose output is averaged over the patch (default: the last).
        varied: copies of each training patch whose hematoxylin, eosin and DAB are varied.
        sigma: strength of that variation (OD), as --stain-sigma of mta.train.
        seed: of that variation, and of random weights.
        quiet: no progress bar.

    Returns:
        The table `embeddings.csv`.

    Raises:
        InputError: for an unknown network, layer or concept, weights that are not there, and patches that name neither
            patient nor slide.
    """
    from data_prep.claims import claimed
    from data_prep.store import align_concepts, open_concepts, open_patches
    from mta.backend import start_quietly

    start_quietly()
    from mta.encoding import Varied, chosen, encoder, write_embeddings

    require_seed(seed)
    if varied < 0 or not 0 <= sigma < 1:
        raise InputError(f"--varied {varied} --sigma {sigma}: give copies, 0 or more, and a strength from 0 to below 1")
    with open_patches(store) as patches, claimed(out):
        if nameless := int(((patches.rows["patient"] == "") & (patches.rows["slide"] == "")).sum()):
            raise InputError(
                f"{store}: {nameless} of {len(patches)} patches name neither patient nor slide, by which embeddings "
                "are kept; make the store again with a column patient or slide"
            )
        table = chosen(align_concepts(open_concepts(concepts or store), patches.rows), names)
        encode = encoder(patches.size, backbone, weights, cut or None, seed)
        write_embeddings(patches, table, encode, out, Varied(varied, sigma, seed), quiet)
    return out / "embeddings.csv"


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    run_command(embed, PROG, argv)


if __name__ == "__main__":
    main()
