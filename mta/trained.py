"""A finished run, ready to predict with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.stain import load_normalizer
from mta.cautions import fitted_by_slide, warn_of_fit, warn_of_resolution
from mta.config import TrainConfig
from mta.data.coding import coding_from_json
from mta.data.dataset import Coding
from mta.data.inputs import EmbeddingInputs, Inputs, PatchInputs
from mta.data.opening import require_shape
from mta.data.stain import still_needed
from mta.predicting import predict_rows, predictions_table
from mta.provenance import store_fingerprints
from mta.run_folder import RunFolder


@dataclass
class Trained:
    """What a run learned and how its inputs must look.

    Attributes:
        folder: of the run.
        config: of the run.
        coding: concept scales and centres.
        normalizer: of the stain, or None; there is none for embeddings.
        model: inference model.
    """

    folder: RunFolder
    config: TrainConfig
    coding: Coding
    normalizer: Any
    model: Any

    @property
    def stored_channels(self) -> bool:
        """Whether the model was trained on channels as the files hold them (profile `original`)."""
        return self.config.profile == "original"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an input: (side, side, 3) pixels of a patch, or (width,) numbers of an embedding."""
        return tuple(map(int, self.model.input.shape[1:]))

    @property
    def embedded(self) -> bool:
        """Whether the model takes embeddings in place of patches."""
        return len(self.shape) == 1

    @property
    def trained_on(self) -> list[str]:
        """Fingerprint of each file of the store that the model was trained on."""
        return list(self.folder.record().get("inputs", {}).get("store", []))

    @property
    def fitted_by_slide(self) -> bool:
        """Whether the store of training was normalized with the stains of each slide, not of each patch."""
        return self.normalizer is not None and fitted_by_slide(self.folder.file("stain.json").read_text("utf-8"))

    def require_own_store(self) -> None:
        """Raise InputError unless the run's store, which is there, is as it was in training."""
        if store_fingerprints(self.config.store) != self.trained_on:
            raise InputError(
                f"{self.config.store}: changed since {self.folder.path} was trained on it; put the old file back, or "
                "train again with --overwrite"
            )

    def predict(self, patches: Any, rows: np.ndarray, quiet: bool = True) -> pd.DataFrame:
        """Predictions for the rows (positions) of `patches`: the label-free columns of `predictions.csv`."""
        require_shape(patches, self.shape)
        warn_of_resolution(self, patches, rows)
        warn_of_fit(self, patches)
        outputs = predict_rows(self.model, self.inputs(patches), rows, quiet)
        return predictions_table(patches.rows.iloc[rows], outputs, self.coding)

    def inputs(self, patches: Any) -> Inputs:
        """What the model is fed for `patches`, or embeddings, of its shape.

        Raises `InputError` for patches normalized, or embeddings made, in another way than those of training.
        """
        if not self.embedded:
            return PatchInputs(patches, still_needed(patches, self.normalizer))
        trained = self.folder.record().get("encoder")
        if trained and patches.encoder and trained != patches.encoder:
            raise InputError(
                f"{patches.files[0]}: embeddings of {patches.encoder}, the run was trained on those of {trained}; "
                "their numbers have nothing in common"
            )
        return EmbeddingInputs(patches)


def load_run(run: str | Path, which: str = "best") -> Trained:
    """Load the run in the folder `run` with its `best` or `last` model.

    Raises:
        InputError: when something is missing or damaged, or the run is not finished.
    """
    folder = finished_run(run)
    config, coding = folder.config(), coding_from_json(folder.read("labels.json"))
    trained = Trained(folder, config, coding, None, folder.load_model(which))
    if not (trained.embedded or config.stain == "none"):
        trained.normalizer = load_normalizer(folder.file("stain.json"))
    return trained


def finished_run(run: str | Path) -> RunFolder:
    """The folder `run`; InputError unless it holds a single finished run."""
    folder = RunFolder(run)
    config = folder.config()
    if config.folds and config.fold < 0:
        raise InputError(f"{folder.path}: holds {config.folds} folds, a run each; name one of its fold-K folders")
    if folder.standing() != "finished":
        raise InputError(f"{folder.path}: this run is not finished; run the same train command again")
    return folder
