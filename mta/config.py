"""The settings of a training run: one frozen dataclass, filled from preset, profile, YAML file and flags."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

import tyro

from mta.spec import AdversaryMode, ModelSpec

Preset = Literal["baseline", "multitask", "mta", "random-concept", "fixed-weights"]
Profile = Literal["paper", "original"]
Balance = Literal["none", "class", "centre", "class-centre"]
Augment = Literal["none", "flips", "stain", "hed", "color"]


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides what a training run computes, and how often it saves."""

    store: tyro.conf.Positional[str]
    """patch store (flat or an original HDF5 layout), several under names (cam16=A.h5,all500=B.h5), or a table of slides
    with precomputed embeddings"""
    out: str
    """run folder, e.g. runs/mta-1001; made if needed"""
    preset: Preset = "mta"
    """baseline: tumor head only; multitask: with concepts; mta: with concepts and the adversary; random-concept and
    fixed-weights: the controls. A preset sets defaults; flags still win"""
    profile: Profile = "paper"
    """paper: the method with its slips mended; original: what the released code computes, see docs/fidelity.md"""
    concepts: tuple[str, ...] = ("ncount", "narea")
    """concepts to regress; "random" is a control drawn for each patch"""
    concept_file: str = ""
    """concept table (HDF5 or CSV); default: the concepts inside the store"""
    adversary: Literal["centre", "none"] = "centre"
    """what the representation is made blind to"""
    adversary_mode: AdversaryMode = "marginal"
    """marginal: one domain head; conditional: one for normal and one for tumor patches, so that what goes with a centre
    only because the class does is not taken for the centre"""
    strength: float = 1.0
    """of the reversal at its strongest: in phase 2, or at the end of the ramp (0 and more)"""
    weighting: Literal["original", "kendall", "fixed"] = "original"
    """how the task losses are weighted"""
    backbone: str = "InceptionV3"
    """trunk: any network of keras.applications, or SmallCNN"""
    weights: str = "imagenet"
    """trunk weights: imagenet, none, or a weights file of the trunk without its top"""
    trainable: str = "paper"
    """trunk layers that learn: paper (five convolutions of InceptionV3), last:N, all or none"""
    cut: str = ""
    """name of the trunk layer to read features from; default: the trunk's output"""
    standardize: Literal["auto", "on", "off"] = "auto"
    """whether pooled trunk features are brought to mean 0 and variance 1 over training patches, by what the trunk gives
    before it learns; auto: where it begins with trained weights. Embeddings always are"""
    dense: tuple[int, ...] = (2048, 512, 256)
    """widths of the shared dense layers (units)"""
    dropout: float = 0.8
    """share of units dropped after each dense layer (0 to 1)"""
    l2: float = 0.01
    """L2 penalty on the dense kernels"""
    concept_head_on: Literal["features", "pool"] = "features"
    """concept heads on the last dense layer, or on the pooled trunk features"""
    schedule: Literal["two-phase", "dann"] = "two-phase"
    """reversal strength: 0 then 1, or a ramp from 0 to 1 over the optimizer's steps (Ganin et al. 2016)"""
    epochs: tuple[int, int] = (80, 20)
    """epochs of the two phases; runs of one phase take the sum"""
    batch_size: int = 32
    """patches a step"""
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    """optimizer"""
    learning_rate: float = 1e-4
    """learning rate, constant"""
    momentum: float = 0.9
    """momentum of SGD (0 to 1)"""
    nesterov: bool = True
    """Nesterov momentum for SGD"""
    augment: tuple[Augment, ...] = ()
    """how training patches vary, after stain normalization: flips (8 dihedral views), stain (amounts of hematoxylin and
    eosin), hed (of hematoxylin, eosin and DAB), color (brightness, contrast, saturation, hue); none, or any of them"""
    stain_sigma: float = 0.05
    """strength of stain and hed: amounts are scaled by 1 ± this and shifted by 0 ± this (OD); 0.2 is strong"""
    color_ranges: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.04)
    """strength of color: largest change of brightness, contrast and saturation (shares) and of hue (turns)"""
    balance: Balance = "none"
    """none: each training row once an epoch; else as many rows, in equal shares of the classes, centres, or both"""
    monitor: Literal["task", "total"] = "task"
    """validation loss that picks the best epoch and stops early: of the tumor task, or the total with penalties"""
    patience: int = 10
    """epochs without improvement before a phase ends"""
    class_weights: Literal["training", "original"] = "training"
    """weights of normal and tumor: from the training rows, or the authors' constants"""
    stain: Literal["auto", "reinhard", "macenko", "vahadane", "none"] = "auto"
    """stain normalization of every patch; auto: that of the store if it is a normalized one, else reinhard"""
    stain_reference: str = "median"
    """target: median (of training patches), published (Macenko's), first (training row), row:N, image or stain.json"""
    split: str = "column"
    """roles: column (the store's), patient (70/15/15 % by patient), a split table, or role=FILE,role=FILE"""
    external_centres: tuple[str, ...] = ()
    """centres kept for the external test when splitting by patient"""
    folds: int = 0
    """patient-disjoint folds to cross-validate over (0: one run)"""
    fold: int = -1
    """the fold of this run, counted from 0; set by --folds"""
    missing_centre: Literal["refuse", "mask"] = "refuse"
    """training rows without a centre under an adversary: refuse them, or leave them out of the domain loss"""
    allow_leak: bool = False
    """go on when patients straddle roles; recorded with the run"""
    seed: int = 1001
    """seed of initial weights, dropout, order and splits"""
    deterministic: bool = False
    """ask TensorFlow for deterministic kernels (slower on GPU)"""
    strategy: Literal["none", "mirrored", "multiworker"] = "none"
    """none: one device; mirrored: all GPUs of this machine; multiworker: those of all workers that TF_CONFIG or SLURM
    names, see docs/distributed.md. The batch size is that of all devices together"""
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """numbers that trunk and dense layers compute with; weights, heads and losses are float32 always"""
    jit: Literal["auto", "on", "off"] = "auto"
    """compile the training step by XLA; auto: where Keras does, which is not on a CPU and not under a strategy"""
    cache: Literal["auto", "off"] = "auto"
    """auto: what frozen layers make of the patches is computed once and kept on disk, where that saves anything"""
    cache_dtype: Literal["float32", "float16"] = "float32"
    """numbers in the cache; float16 takes half the room, and the error is printed"""
    cache_limit: float = 50.0
    """room for all feature caches together (GB); the oldest go first, and what has no room is computed every epoch"""
    cache_dir: str = ""
    """folder of the feature caches; default: $MTA_CACHE, or mta in the user's cache folder"""
    save_minutes: float = 10.0
    """minutes between two states within an epoch, from which a killed run goes on (0: only after epochs)"""


# What each preset and profile changes of the defaults above.
PRESETS: dict[str, dict[str, Any]] = {
    "baseline": {"concepts": (), "adversary": "none"},
    "multitask": {"adversary": "none"},
    "mta": {},
    "random-concept": {"concepts": ("random",), "adversary": "none"},
    "fixed-weights": {"weighting": "fixed"},
}
PROFILES: dict[str, dict[str, Any]] = {
    "paper": {},
    "original": {
        **{"monitor": "total", "class_weights": "original", "stain": "reinhard", "stain_reference": "first"},
        "standardize": "off",
    },
}


def defaults(preset: str, profile: str) -> dict[str, Any]:
    """What `preset` and `profile` set; nothing for names that do not exist.

    The original's baseline alone used no Nesterov momentum (B-40).
    """
    plain = {"nesterov": False} if (preset, profile) == ("baseline", "original") else {}
    return {**PRESETS.get(preset, {}), **PROFILES.get(profile, {}), **plain}


def to_json(config: TrainConfig) -> dict[str, Any]:
    """All settings, as JSON types."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def standardizes(config: TrainConfig) -> bool:
    """Whether pooled features of a trunk are standardized: on request, or where it begins with trained weights."""
    return config.standardize == "on" or (config.standardize == "auto" and config.weights != "none")


def model_spec(config: TrainConfig, domains: int, shape: tuple[int, ...]) -> ModelSpec:
    """The network that `config` asks for, with `domains` classes.

    `shape`: of an input, (side, side, 3) pixels of a patch or (width,) numbers of an embedding.
    """
    return ModelSpec(
        concepts=config.concepts,
        domains=domains,
        backbone=config.backbone,
        weights=None if config.weights == "none" else config.weights,
        trainable=config.trainable,
        **{"embedding": shape[0]} if len(shape) == 1 else {"size": shape[0]},
        cut=config.cut or None,
        standardize=standardizes(config),
        dense=config.dense,
        dropout=config.dropout,
        l2=config.l2,
        concept_head_on=config.concept_head_on,
        adversary_mode=config.adversary_mode,
    )
