"""From the name of a strategy to devices."""

import os
from functools import cache
from typing import Any

import keras

from data_prep.console import say
from data_prep.errors import InputError
from mta.backend import notes_held_back
from mta.devices.cluster import Cluster, find_cluster
from mta.devices.single import Devices


@cache  # a second strategy in a process would use the collective keys of the first again
def open_devices(strategy: str) -> Devices:
    """The devices of `strategy`: "none", "mirrored" (all of this machine) or "multiworker" (those of all workers).

    For "multiworker" this waits until all workers are there, and must come before anything else that is done with
    TensorFlow.

    Raises:
        InputError: on another backend than TensorFlow, without a usable cluster, or too late.
    """
    if strategy == "none":
        return Devices()
    if keras.backend.backend() != "tensorflow":
        raise InputError(f"--strategy {strategy}: works on Keras' TensorFlow backend alone (KERAS_BACKEND=tensorflow)")
    return _mirrored() if strategy == "mirrored" else _multiworker(find_cluster())


def _mirrored() -> Devices:
    with notes_held_back():
        import tensorflow as tf

        from mta.devices.replicated import Replicated

        found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return Replicated(tf.distribute.MirroredStrategy([device.name for device in found]), None)


def _multiworker(cluster: Cluster) -> Devices:
    os.environ["TF_CONFIG"] = cluster.tf_config()
    say(f"worker {cluster.index}: waiting for all {len(cluster.workers)}: {', '.join(cluster.workers)}")
    try:
        with notes_held_back():
            return _joined(cluster)
    except RuntimeError as error:
        if "program startup" not in str(error):
            raise
        raise InputError("--strategy multiworker: must be the first that a process does with TensorFlow") from error


def _joined(cluster: Cluster) -> Any:
    import tensorflow as tf

    from mta.devices.replicated import Replicated

    return Replicated(tf.distribute.MultiWorkerMirroredStrategy(), cluster)
