"""A run in which another process writes the files."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from mta.config import TrainConfig
from mta.run_folder import RunFolder


class Onlooker(RunFolder):
    """The run folder of a worker that is not the first: nothing is written, and nothing in it is relied upon."""

    writes = False

    def claimed(self) -> AbstractContextManager[None]:
        """Nothing: the first worker holds the claim."""
        return nullcontext()

    def clear(self) -> None:
        """`RunFolder.clear`, by the first worker."""

    def sweep(self) -> None:
        """`RunFolder.sweep`, by the first worker."""

    def write_config(self, config: TrainConfig) -> None:
        """`RunFolder.write_config`, by the first worker."""

    def write_history(self, history: list[dict[str, Any]]) -> None:
        """`RunFolder.write_history`, by the first worker."""

    def save_model(self, model: Any, name: str) -> None:
        """`RunFolder.save_model`, by the first worker."""
