"""What a model is, as data."""

import re
from dataclasses import dataclass
from typing import Literal

from data_prep.errors import InputError

_OF_NETWORKS = ("tumor", "domain", "domain_by_class", "image", "embedding", "loss", "gradient_reversal")
_OF_TABLES = ("row", "patient", "slide", "centre", "role", "label", "logit", "probability", "path", "x", "y")
RESERVED = frozenset({*_OF_NETWORKS, "uncertainty_loss", *_OF_TABLES})
AdversaryMode = Literal["marginal", "conditional"]


@dataclass(frozen=True)
class ModelSpec:
    """The architecture of a multi-task adversarial network.

    Args:
        concepts: names of the regression heads, in order.
        domains: classes of the adversarial head; 0 for no such head.
        backbone: any name in `keras.applications`, or "SmallCNN".
        weights: "imagenet", a `.weights.h5` / `.h5` file of the trunk without its top, or None.
        trainable: "paper" (the five convolutions of InceptionV3), "last:N" (the last N layers with a kernel),
            "all" or "none". Batch normalization stays in inference mode unless "all".
        size: side of the square input, pixels.
        embedding: numbers of a precomputed embedding, which then is the input in place of an image: there is no trunk,
            and backbone, weights, trainable, standardize, size and cut say nothing. 0 for images.
        standardize: whether each pooled feature is brought to mean 0 and variance 1, by `mta.data.moments.set_moments`;
            embeddings always are.
        cut: name of a trunk layer to read the features from instead of the trunk's output; None for its output.
        dense: widths of the shared fully connected layers.
        dropout: share of units dropped after each of them, 0 to 1.
        l2: penalty on their kernels.
        concept_head_on: "features" (last dense layer) or "pool" (pooled trunk features, or the embedding, as in the
            single-concept models of the authors' notebooks).
        adversary_mode: "marginal", one domain head for all patches, or "conditional", one for normal and one for tumor.

    Raises:
        InputError: for a value out of range or a concept name that is reserved or not a plain word.
    """

    concepts: tuple[str, ...] = ("ncount", "narea")
    domains: int = 7
    backbone: str = "InceptionV3"
    weights: str | None = "imagenet"
    trainable: str = "paper"
    size: int = 224
    embedding: int = 0
    cut: str | None = None
    standardize: bool = False
    dense: tuple[int, ...] = (2048, 512, 256)
    dropout: float = 0.8
    l2: float = 0.01
    concept_head_on: Literal["features", "pool"] = "features"
    adversary_mode: AdversaryMode = "marginal"

    def __post_init__(self) -> None:
        check_concepts(self.concepts)
        if self.domains < 0 or self.domains == 1:
            raise InputError(f"domains is {self.domains}: an adversary needs 2 or more classes (0 for none)")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout is {self.dropout}: give a share from 0 to below 1")
        if (
            self.size < 1
            or self.embedding < 0
            or not 0 <= self.l2 < float("inf")
            or any(width < 1 for width in self.dense)
        ):
            raise InputError("size and dense widths must be positive, embedding and l2 0 or more")
        if not re.fullmatch(r"paper|all|none|last:[1-9]\d*", self.trainable):
            raise InputError(f"trainable is {self.trainable!r}: give paper, all, none or last:N")
        if self.concept_head_on not in ("features", "pool"):
            raise InputError(f"concept_head_on is {self.concept_head_on!r}: give features or pool")
        if self.adversary_mode not in ("marginal", "conditional"):
            raise InputError(f"adversary_mode is {self.adversary_mode!r}: give marginal or conditional")


def check_concepts(names: tuple[str, ...]) -> None:
    """Raise InputError unless every name can be an output of the model, once."""
    # Names of the label inputs, and of the true values in tables.
    taken = RESERVED | {f"y_{name}" for name in ("tumor", "domain", *names)} | {f"{name}_true" for name in names}
    for name in names:
        if name in taken or not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
            raise InputError(
                f"concept {name!r}: choose a plain word other than {', '.join(sorted(RESERVED))} or y_<task>"
            )
    if len(set(names)) < len(names):
        raise InputError(f"concepts {', '.join(names)}: a name stands twice")
