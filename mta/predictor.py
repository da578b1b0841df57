"""A trained network, whether it comes from a run folder or from an export, ready to predict with."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mta.cautions import fitted_by_slide, warn_of_fit, warn_of_resolution
from mta.data.dataset import Coding
from mta.data.inputs import PatchInputs
from mta.data.stain import still_needed
from mta.predicting import predict_rows, predictions_table, require_size


@dataclass
class Predictor:
    """What a network learned and how its inputs must look.

    Attributes:
        coding: what brings concept outputs into their units, and the centres in the order of the domain output.
        normalizer: of the stain, or None.
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
    def side(self) -> int:
        """Side of the patches that the model takes, pixels."""
        return int(self.model.input.shape[1])

    @property
    def fitted_by_slide(self) -> bool:
        """Whether the store of training was normalized with the stains of each slide, not of each patch."""
        return self.normalizer is not None and fitted_by_slide(self.stain_file.read_text("utf-8"))

    def predict(self, patches: Any, rows: np.ndarray, quiet: bool = True) -> pd.DataFrame:
        """Predictions for the rows (positions) of `patches`: the label-free columns of `predictions.csv`."""
        warn_of_resolution(self, patches, rows)
        warn_of_fit(self, patches)
        require_size(self.model, patches)
        inputs = PatchInputs(patches, still_needed(patches, self.normalizer))
        outputs = predict_rows(self.model, inputs, rows, quiet)
        return predictions_table(patches.rows.iloc[rows], outputs, self.coding)
