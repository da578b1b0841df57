"""The machines of a run, from the environment: TF_CONFIG, or what SLURM says."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from data_prep.errors import InputError

FIRST_PORT, PORTS = 12000, 20000  # a port by job, below those that systems give out by themselves
_SLURM = ("SLURM_PROCID", "SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_STEP_TASKS_PER_NODE")


@dataclass(frozen=True)
class Cluster:
    """The workers of a run.

    Attributes:
        workers: "host:port" of each.
        index: which of them this process is; 0 writes the files.
    """

    workers: tuple[str, ...]
    index: int

    def peers(self) -> dict[int, str]:
        """Number -> address of the others."""
        return {number: address for number, address in enumerate(self.workers) if number != self.index}

    def tf_config(self) -> str:
        """The same as TensorFlow wants it in the variable TF_CONFIG."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": list(self.workers)}, "task": task})


def find_cluster(environment: Mapping[str, str] = os.environ) -> Cluster:
    """The cluster in `environment`: TF_CONFIG, where it is set, else the variables of a SLURM step.

    Raises:
        InputError: when neither is there, or it is not usable.
    """
    if environment.get("TF_CONFIG"):
        return _from_tf_config(environment["TF_CONFIG"])
    if all(name in environment for name in _SLURM):
        return _from_slurm(*(environment[name] for name in _SLURM))
    raise InputError(
        "--strategy multiworker: set TF_CONFIG in every process, or start them by srun (docs/distributed.md); on one "
        "machine --strategy mirrored needs neither"
    )


def _from_tf_config(text: str) -> Cluster:
    try:
        given = json.loads(text)
        kind, index = str(given["task"]["type"]), int(given["task"]["index"])
        jobs = {name: [str(address) for address in found] for name, found in given["cluster"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"TF_CONFIG is not usable ({error!r}); see docs/distributed.md for what it holds") from error
    if set(jobs) != {"worker"} or kind != "worker" or not 0 <= index < len(jobs["worker"]):
        raise InputError("TF_CONFIG must list jobs of type worker alone, this task among them (docs/distributed.md)")
    if odd := [address for address in jobs["worker"] if not re.fullmatch(r"\S+:\d+", address)]:
        raise InputError(f"TF_CONFIG: worker {odd[0]!r} is no host:port")
    return Cluster(tuple(jobs["worker"]), index)


def _from_slurm(rank: str, job: str, nodes: str, tasks: str) -> Cluster:
    """Ranks in blocks by node, as srun deals them out unless told otherwise.

    Not by TensorFlow's own resolver, which sorts hosts as texts (node10 before node2), so that ranks and addresses do
    not match, and fails on nodes without a GPU.
    """
    port = FIRST_PORT + int(job) % PORTS
    counts = zip(_hosts(nodes), _counts(tasks), strict=True)
    return Cluster(tuple(f"{host}:{port + k}" for host, count in counts for k in range(count)), int(rank))


def _hosts(text: str) -> list[str]:
    """The hosts in a SLURM list: `gpu[01-03,7],login` is gpu01, gpu02, gpu03, gpu7, login."""
    found = []
    for prefix, ranges, suffix in re.findall(r"([^\[\],]+)(?:\[([^\]]*)\])?([^\[\],]*)", text):
        found += [f"{prefix}{number}{suffix}" for number in _numbers(ranges)] if ranges else [prefix + suffix]
    return found


def _numbers(text: str) -> list[str]:
    pairs = [(part.split("-") * 2)[:2] for part in text.split(",")]
    return [str(n).zfill(len(low)) for low, high in pairs for n in range(int(low), int(high) + 1)]


def _counts(text: str) -> list[int]:
    """Tasks of each node in SLURM's short form: `2(x3),1` is 2, 2, 2, 1."""
    pairs = re.findall(r"(\d+)(?:\(x(\d+)\))?", text)
    return [int(count) for count, times in pairs for _ in range(int(times or 1))]
