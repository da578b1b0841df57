"""Several devices that share every batch, on one machine or on many: `tf.distribute` with a step of our own.

Keras' own `fit` does not work on several machines (keras-team/keras#20585), and on one it reports the mean of a batch
that cannot be shared out evenly with the wrong weights. Both go through here.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mta.backend import python_alone_on_screen
from mta.data.inputs import Inputs
from mta.data.parts import Sharing
from mta.data.reader import BatchReader
from mta.devices.cluster import Cluster
from mta.devices.single import Devices
from mta.devices.steps import prediction_step, training_step
from mta.devices.watch import Watch
from mta.predicting import BATCH

CHUNK = 2**20  # bytes that workers pass on at once


class Replicated(Devices):
    """The replicas of a strategy, those of this process being some of them or all.

    Args:
        strategy: `tf.distribute.MirroredStrategy` or `MultiWorkerMirroredStrategy`.
        cluster: the workers, for several machines.
    """

    def __init__(self, strategy: Any, cluster: Cluster | None) -> None:
        self._strategy, self._cluster = strategy, cluster
        self.replicas = int(strategy.num_replicas_in_sync)
        self._predicts: Any = None
        self.first = cluster is None or cluster.index == 0
        local = self.replicas // (1 if cluster is None else len(cluster.workers))
        begin = 0 if cluster is None else local * cluster.index
        self._sharing = Sharing(range(begin, begin + local), self.replicas)

    def scope(self) -> AbstractContextManager[Any]:
        """`Devices.scope`."""
        return self._strategy.scope()

    @contextmanager
    def together(self) -> Iterator[None]:
        """`Devices.together`: a worker that loses another one ends with one line and status 3."""
        if self._cluster is None:
            yield
            return
        watch = Watch(self._cluster.peers())
        watch.start()
        with python_alone_on_screen():
            try:
                yield
                self.share(bytes)  # none leaves, and so looks lost, while another is still at work
            except tf.errors.OpError:
                watch.wait()
                raise
            finally:
                watch.stop()

    def share(self, make: Callable[[], bytes]) -> bytes:
        """`Devices.share`."""
        if self._cluster is None:
            return make()
        data = make() if self.first else b""
        length = int.from_bytes(self._passed_on(len(data).to_bytes(8, "big"), 8), "big")
        parts = [(data[i : i + CHUNK], min(CHUNK, length - i)) for i in range(0, length, CHUNK)]
        return b"".join(self._passed_on(part, size) for part, size in parts)

    def _passed_on(self, data: bytes, size: int) -> bytes:
        """`data` of the first replica: a sum to which the others add zeros, in float32 as every device adds it."""
        nothing = np.zeros(size, "float32")
        own = np.frombuffer(data, "uint8").astype("float32") if self.first else nothing
        values = self._each(lambda replica: own if replica == 0 else nothing)
        return np.asarray(self._strategy.reduce("SUM", values, axis=None)).astype("uint8").tobytes()

    def _each(self, make: Callable[..., Any], *given: Any) -> Any:
        """The arrays that `make` returns for the number of each replica of this process, on its device."""
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.nest.map_structure(tf.constant, make(context.replica_id_in_sync_group, *given))
        )

    def fit(
        self, training: Any, batches: Any, initial_epoch: int, epochs: int, callbacks: list[Any], verbose: int
    ) -> None:
        """`Devices.fit`, with the callbacks and the means over an epoch of Keras' own; `batches` is a `BatchReader`."""
        reader: BatchReader = batches
        reader.share(self._sharing)
        step = training_step(self._strategy, training)
        told = keras.callbacks.CallbackList(
            callbacks, add_progbar=verbose != 0, model=training, verbose=verbose, epochs=epochs, steps=len(reader)
        )
        training.stop_training = False
        told.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            training.reset_metrics()
            told.on_epoch_begin(epoch)
            self._epoch(step, reader, told)
            told.on_epoch_end(epoch, dict(training.get_metrics_result()))
            if training.stop_training:
                break
        told.on_train_end()

    def _epoch(self, step: Callable[[Any], Any], reader: BatchReader, told: Any) -> None:
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._batch, reader, 0)
            for index in range(len(reader)):
                batch = coming.result()
                if index + 1 < len(reader):
                    coming = ahead.submit(self._batch, reader, index + 1)
                told.on_train_batch_begin(index)
                told.on_train_batch_end(index, step(batch))

    def _batch(self, reader: BatchReader, index: int) -> Any:
        return self._each(lambda replica: reader.part(index, replica))

    def predict(self, model: Any, inputs: Inputs, rows: np.ndarray) -> dict[str, np.ndarray]:
        """`Devices.predict`: each replica takes batches of the size that one device would."""
        if self._predicts is not model:
            self._predicts, self._predict = model, prediction_step(self._strategy, model)
        stride = BATCH * self.replicas
        filled = np.resize(rows, -(-len(rows) // stride) * stride)  # whole batches for all, by rows once more
        found = []
        for start in range(0, len(filled), stride):
            parts = filled[start : start + stride].reshape(self.replicas, BATCH)
            found.append(self._predict(self._each(lambda replica, rows: inputs.take(rows[replica]), parts)))
        return {name: np.concatenate([np.asarray(one[name]) for one in found])[: len(rows)] for name in found[0]}
