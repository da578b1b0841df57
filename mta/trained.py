"""A finished run, ready to predict with."""

from dataclasses import dataclass
from pathlib import Path

from data_prep.concepts import RANDOM, random_concept
from data_prep.errors import InputError
from data_prep.splits import read_split
from data_prep.stain import load_normalizer
from mta.config import TrainConfig
from mta.data.coding import coding_from_json
from mta.data.dataset import Dataset, open_dataset
from mta.predictor import Predictor
from mta.provenance import store_fingerprints
from mta.run_folder import RunFolder


@dataclass
class Trained(Predictor):
    """What a run learned, with the run itself.

    Attributes:
        folder: of the run.
        config: of the run.
        which: "best" or "last", the model that was loaded.
    """

    folder: RunFolder
    config: TrainConfig
    which: str

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    @property
    def files(self) -> tuple[Path, ...]:
        """The model, the scales of its outputs, and the stain reference where there is one."""
        names = (f"{self.which}.keras", "labels.json", *(("stain.json",) if self.normalizer is not None else ()))
        return tuple(map(self.folder.file, names))

    @property
    def stain_file(self) -> Path:
        """`stain.json` of the run."""
        return self.folder.file("stain.json")

    @property
    def mpp(self) -> float | None:
        """Median micrometres a pixel of the training rows, as `run.json` says it."""
        return self.folder.record().get("mpp")

    @property
    def stored_channels(self) -> bool:
        """Whether the profile is `original`."""
        return self.config.profile == "original"

    @property
    def encoder(self) -> str:
        """What made the embeddings, by `run.json`."""
        return str(self.folder.record().get("encoder", ""))

    @property
    def trained_on(self) -> list[str]:
        """Fingerprint of each file of the store that the model was trained on."""
        return list(self.folder.record().get("inputs", {}).get("store", []))

    def require_own_store(self) -> None:
        """Raise InputError unless the run's store, which is there, is as it was in training."""
        if store_fingerprints(self.config.store) != self.trained_on:
            raise InputError(
                f"{self.config.store}: changed since {self.folder.path} was trained on it; put the old file back, or "
                "train again with --overwrite"
            )

    def own_data(self, concepts: tuple[str, ...] | None, concept_file: str) -> Dataset:
        """The run's own store in the roles that the run gave its rows.

        Args:
            concepts: names wanted, None for all, with the random one that the run was trained on.
            concept_file: another table for them, or "".

        Raises:
            InputError: when the store is missing or damaged, has changed since training, or lacks a concept.
        """
        config = self.config
        data = open_dataset(config.store, concepts, concept_file, config.seed, self.stored_channels)
        self.require_own_store()
        if concepts is None and RANDOM in config.concepts and RANDOM not in data.concepts:
            data.concepts[RANDOM] = random_concept(data.rows, config.seed)
        data.roles = read_split(str(self.folder.file("split.csv")), data.rows)
        return data


def load_run(run: str | Path, which: str = "best") -> Trained:
    """Load the run in the folder `run` with its `best` or `last` model.

    Raises:
        InputError: when something is missing or damaged, or the run is not finished.
    """
    folder = finished_run(run)
    record = folder.record()
    config, coding = folder.config(), coding_from_json(folder.read("labels.json"))
    trained = Trained(coding, None, folder.load_model(which), folder, config, which)
    if not (trained.embedded or config.stain == "none"):
        trained.normalizer = load_normalizer(folder.file("stain.json"))
    if folder.record() != record:
        raise InputError(f"{folder.path}: was trained anew while it was read; run this again when that is finished")
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
