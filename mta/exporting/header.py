"""The YAML header of a model card: what model hubs read, and under `mta` what predicting with the export needs."""

from pathlib import Path
from typing import Any

import yaml

from data_prep.errors import InputError
from mta.exporting.formats import Format
from mta.spec import check_concepts
from mta.trained import Trained

NO_STAIN = "none"
_LIBRARY = {"keras": "keras", "saved_model": "tensorflow", "onnx": "onnx"}
_TAGS = ["histopathology", "digital-pathology", "multi-task-learning", "domain-adversarial", "research-only"]
_RULE = "---\n"


def card_header(trained: Trained, kind: Format) -> str:
    """The header, rules included.

    `mta` in it holds: `mpp` of the training patches (null: not known), `stain` (the method, or "none"), `encoder` of
    the embeddings ("": images, or not known), `channels` ("rgb", or "stored" as their files held them), `centres` in
    the order of `domain`, and the unit of each concept.
    """
    fields = {
        "license": "other",
        "license_name": "see-section-licenses",
        "library_name": _LIBRARY[kind],
        "pipeline_tag": "tabular-classification" if trained.embedded else "image-classification",
        "tags": [*_TAGS, "patch-embeddings" if trained.embedded else trained.config.backbone.lower()],
        "mta": {
            "mpp": trained.mpp,
            "stain": NO_STAIN if trained.normalizer is None else trained.normalizer.method,
            "encoder": trained.encoder,
            "channels": "stored" if trained.stored_channels else "rgb",
            "centres": list(trained.coding.centres),
            "concepts": {name: scale.unit for name, scale in trained.coding.scales.items()},
        },
    }
    return f"{_RULE}{yaml.safe_dump(fields, sort_keys=False)}---"


def read_header(card: Path) -> dict[str, Any]:
    """What stands under `mta` in the header of the model card `card`.

    Raises:
        InputError: when there is no such card, or it does not say these things.
    """
    remedy = "export the run again, or put the card that came with the export beside it"
    try:
        text = card.read_text(encoding="utf-8")
        facts = yaml.safe_load(text.split(_RULE)[1])["mta"]
        _require(facts)
    except FileNotFoundError as error:
        raise InputError(f"{card}: not found; {remedy}") from error
    except InputError as error:
        raise InputError(f"{card}: {error}") from error
    except (OSError, ValueError, IndexError, KeyError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"{card}: its header does not say what the model takes and gives; {remedy}") from error
    return facts


def _require(facts: Any) -> None:
    """ValueError, TypeError or InputError (a name that is none) unless `facts` are what `card_header` writes."""
    kinds = {
        "mpp": float | int | None,
        "stain": str,
        "encoder": str,
        "channels": str,
        "centres": list,
        "concepts": dict,
    }
    if set(kinds) - set(facts) or not all(isinstance(facts[name], kind) for name, kind in kinds.items()):
        raise ValueError("another header")
    check_concepts(tuple(facts["concepts"]))
