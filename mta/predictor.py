"""A trained network, whether it comes from a run folder or from an export, ready to predict with."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from mta.cautions import fitted_by_slide, warn_of_fit, warn_of_resolution
from mta.data.dataset import Coding
from mta.data.inputs import EmbeddingInputs, Inputs, PatchInputs
from mta.data.opening import require_shape
from mta.data.stain import still_needed
from mta.predicting import predict_rows, predictions_table


@dataclass
class Predictor:
    """What a network learned and how its inputs must look.

    Attributes:
        coding: what brings concept outputs into their units, and the centres in the order of the domain output.
        normalizer: of the stain, or None; there is none for embeddings.
        model: a Keras model, or what has its `input.shape` and `predict_on_batch`.
    """

    coding: Coding
    normalizer: Any
    model: Any

    @property
    @abstractmethod
    def path(self) -> Path:
        """The run folder, or the export."""

    @property
    @abstractmethod
    def files(self) -> tuple[Path, ...]:
        """The files that decide what it answers."""

    @property
    @abstractmethod
    def stain_file(self) -> Path:
        """The JSON of the normalizer; there is none without one."""

    @property
    @abstractmethod
    def mpp(self) -> float | None:
        """Micrometres a pixel of the training patches (median), None where nobody recorded it."""

    @property
    @abstractmethod
    def stored_channels(self) -> bool:
        """Whether the model was trained on channels as the files hold them (profile `original`)."""

    @property
    @abstractmethod
    def encoder(self) -> str:
        """What made the embeddings of training, "" where nobody recorded it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an input: (side, side, 3) pixels of a patch, or (width,) numbers of an embedding."""
        return tuple(map(int, self.model.input.shape[1:]))

    @property
    def embedded(self) -> bool:
        """Whether the model takes embeddings in place of patches."""
        return len(self.shape) == 1

    @property
    def side(self) -> int:
        """Side of the patches that the model takes, pixels; `InputError` where it takes embeddings."""
        if self.embedded:
            raise InputError(
                f"{self.path}: takes embeddings of {self.shape[0]} numbers, not images (docs/embeddings.md)"
            )
        return self.shape[0]

    @property
    def fitted_by_slide(self) -> bool:
        """Whether the store of training was normalized with the stains of each slide, not of each patch."""
        return self.normalizer is not None and fitted_by_slide(self.stain_file.read_text("utf-8"))

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
        if self.encoder and patches.encoder and self.encoder != patches.encoder:
            raise InputError(
                f"{patches.files[0]}: embeddings of {patches.encoder}, {self.path} was trained on those of "
                f"{self.encoder}; their numbers have nothing in common"
            )
        return EmbeddingInputs(patches)
