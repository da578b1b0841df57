"""Train one run, from its configuration to its finished folder."""

import json
from importlib.util import find_spec
from typing import Any

import keras

from data_prep.console import say
from data_prep.errors import InputError
from data_prep.files import replacing, write_json
from mta.cautions import median_mpp
from mta.config import TrainConfig, model_spec, to_json
from mta.data.failing import plain_errors
from mta.data.reader import BatchReader
from mta.devices import Devices, open_devices
from mta.model import taught
from mta.provenance import input_fingerprints, now, provenance
from mta.run_folder import WHERE, RunFolder
from mta.training.feeding import Feed, choose_feed
from mta.training.fitted import require_unchanged, write_fitted
from mta.training.midway import Midway, Rest
from mta.training.network import Network, make_network, seeded_model
from mta.training.phases import Phase, StrengthRamp, phases_of
from mta.training.setup import Setup, prepare, trained_roles, training_reader
from mta.training.standardizing import standardize
from mta.training.state import Found, Progress, from_bytes, load_progress, restore, to_bytes
from mta.training.supervisor import Supervisor
from mta.training.validation import Validation


class _Epochs(keras.callbacks.Callback):
    """Tells the reader which epoch comes."""

    def __init__(self, reader: BatchReader) -> None:
        super().__init__()
        self._reader = reader

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._reader.set_epoch(epoch)


def make_ready(config: TrainConfig) -> tuple[Setup, Network, Feed]:
    """The data and the network of `config`, with everything about them checked and nothing written to the run folder.

    Raises:
        InputError: for bad input.
    """
    if config.deterministic:
        _ask_for_determinism()
    setup, devices = prepare(config), open_devices(config.strategy)
    spec = model_spec(config, len(setup.coding.centres), setup.data.shape())
    with devices.scope():
        model = seeded_model(spec, config.seed, config.precision)
    feed = choose_feed(config, setup, taught(model))  # what is computed once is computed on one device of each machine
    with devices.scope():
        return setup, make_network(model, feed.body, config, setup.class_weights), feed


def run(config: TrainConfig, folder: RunFolder, quiet: bool, overwrite: bool = False) -> None:
    """Train `config` in `folder`, from the newest state or from the start (always with `overwrite`).

    Raises:
        InputError: for bad input, before anything is written.
    """
    devices = open_devices(config.strategy)
    _require_one_run(config, devices)
    setup, network, feed = make_ready(config)
    phases = phases_of(config)
    alone = devices.replicas == 1  # metrics that several replicas share are not put back within an epoch
    found = None if overwrite else _found(folder, devices, midway=alone)
    if folder.writes and found is not None:
        require_unchanged(folder, config, setup)
    feed.inputs.prepare(setup.data.of(*trained_roles(config), "validation"), quiet)
    if found is None:
        standardize(network.model, feed, setup.data.of("train"), devices, config.seed)
    if overwrite:  # once all that is read before the first epoch could be read
        folder.clear()
    folder.sweep()
    if folder.writes and found is None:
        _begin(folder, config, setup)
    with devices.scope():
        progress, running = _take_up(found, network, phases, config)
    reader = training_reader(setup, config, feed.inputs)
    validation = Validation(setup.data, setup.coding, setup.targets, feed.inputs, devices)
    supervisor = Supervisor(folder, network, validation, config, phases, progress)
    midway = Midway(folder.state, network, progress, len(reader), config.save_minutes if alone else 0, running)
    _train(network, reader, supervisor, midway, phases, config, folder, quiet)
    folder.save_model(network.model, "last")
    if folder.writes:
        write_json(folder.file("run.json"), {**folder.record(), "finished": now(), "epochs": progress.epoch})
    feed.inputs.close()
    setup.data.patches.close()


def _found(folder: RunFolder, devices: Devices, midway: bool) -> Found | None:
    """The newest state that the first process reads, in all processes."""
    return from_bytes(devices.share(lambda: to_bytes(load_progress(folder.state, midway))))


def _require_one_run(config: TrainConfig, devices: Devices) -> None:
    """Raise InputError unless all processes have the same settings and files, wherever they have them."""
    files = input_fingerprints(config)
    settings = {name: value for name, value in to_json(config).items() if name not in (*WHERE, *files)}
    mine = {**settings, **files}
    first = json.loads(devices.share(json.dumps(mine).encode))
    if differing := [name for name in mine if mine[name] != first.get(name)]:
        raise InputError(
            f"{differing[0]}: this worker has {mine[differing[0]]!r}, worker 0 {first.get(differing[0])!r}"
        )


def _ask_for_determinism() -> None:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _begin(folder: RunFolder, config: TrainConfig, setup: Setup) -> None:
    """Write what is known before the first epoch; `config.json` last, since it marks the folder as a run's."""
    write_fitted(folder.path, setup)
    record = {**provenance(), "seed": config.seed, "inputs": input_fingerprints(config), "leaks": setup.leaks}
    training = setup.data.rows.iloc[setup.data.of("train")]
    counts = {"patches": _counts(setup), "mpp": median_mpp(training), "encoder": setup.data.encoder}
    write_json(folder.file("run.json"), {**record, "class_weights": setup.class_weights, **counts})
    folder.write_config(config)


def _counts(setup: Setup) -> dict[str, int]:
    return {role: len(setup.data.of(role)) for role in sorted(set(setup.data.roles)) if role}


def _take_up(
    found: Found | None, network: Network, phases: list[Phase], config: TrainConfig
) -> tuple[Progress, list[Any]]:
    """Where the run stands, with the network brought there, and the running means of an epoch under way."""
    if found is None:
        network.enter(phases[0], config)
        return Progress(), []
    progress, arrays = found
    network.enter(phases[progress.phase], config)
    return progress, restore(network, arrays)


def _train(
    network: Network,
    reader: BatchReader,
    supervisor: Supervisor,
    midway: Midway,
    phases: list[Phase],
    config: TrainConfig,
    folder: RunFolder,
    quiet: bool,
) -> None:
    progress = supervisor.progress
    while True:
        while not supervisor.phase_over():
            _fit(network, reader, supervisor, midway, phases[progress.phase], config, folder, quiet)
        if progress.phase + 1 == len(phases):
            return
        # Only the first time: a run cut short in the next phase's first epoch may have its best model already.
        if not folder.file("best_phase1.keras").exists():
            _copy(folder, "best.keras", "best_phase1.keras")
        progress.next_phase(keep_best=config.profile == "original")
        with open_devices(config.strategy).scope():
            network.enter(phases[progress.phase], config)
        if not quiet:
            say(f"phase {progress.phase + 1}: reversal strength {network.strength():g}")


def _fit(
    network: Network,
    reader: BatchReader,
    supervisor: Supervisor,
    midway: Midway,
    phase: Phase,
    config: TrainConfig,
    folder: RunFolder,
    quiet: bool,
) -> None:
    """Train until the end of `phase`, or first only what is left of an epoch."""
    progress = supervisor.progress
    last = progress.epoch + (1 if progress.batches else phase.epochs - progress.phase_epochs)
    callbacks = [midway, _Epochs(reader), *_ramp(network, reader, phase), supervisor, *_tensorboard(folder)]
    reader.set_epoch(progress.epoch)  # Keras looks at the first batches before it announces the epoch
    batches = Rest(reader, progress.batches) if progress.batches else reader
    with plain_errors(batches):
        open_devices(config.strategy).fit(
            network.training, batches, progress.epoch, last, callbacks, verbose=0 if quiet else 1
        )


def _ramp(network: Network, reader: BatchReader, phase: Phase) -> list[keras.callbacks.Callback]:
    if not phase.ramped:
        return []
    return [StrengthRamp(network.reversal, len(reader) * phase.epochs, phase.strength)]


def _tensorboard(folder: RunFolder) -> list[keras.callbacks.Callback]:
    # Keras' callback writes by TensorFlow, on the JAX backend as well.
    if not folder.writes or not all(map(find_spec, ("tensorboard", "tensorflow"))):
        return []
    return [keras.callbacks.TensorBoard(str(folder.file("tensorboard")), write_graph=False)]


def _copy(folder: RunFolder, source: str, target: str) -> None:
    if not folder.writes:
        return
    with replacing(folder.file(target)) as temporary:
        temporary.write_bytes(folder.file(source).read_bytes())
