import json

import pytest

from data_prep.errors import InputError
from mta.devices.cluster import Cluster, find_cluster

SLURM = {"SLURM_JOB_ID": "40123", "SLURM_PROCID": "2", "SLURM_STEP_TASKS_PER_NODE": "1"}


def tf_config(cluster, kind="worker", index=0):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def slurm(nodes, tasks, rank):
    return {**SLURM, "SLURM_STEP_NODELIST": nodes, "SLURM_STEP_TASKS_PER_NODE": tasks, "SLURM_PROCID": str(rank)}


def test_tf_config():
    found = find_cluster(tf_config({"worker": ["a:1", "b:2", "c:3"]}, index=1))
    assert found == Cluster(("a:1", "b:2", "c:3"), 1)
    assert found.peers() == {0: "a:1", 2: "c:3"}
    assert find_cluster({"TF_CONFIG": found.tf_config()}) == found


@pytest.mark.parametrize(
    ("nodes", "tasks", "hosts"),
    [
        ("node7", "1", ["node7"]),
        ("node[2,10]", "1(x2)", ["node2", "node10"]),  # in the order of the ranks, not of the alphabet
        ("gpu[08-11],login", "1(x5)", ["gpu08", "gpu09", "gpu10", "gpu11", "login"]),
        ("a[1-2]-ib,b", "2(x2),1", ["a1-ib", "a1-ib", "a2-ib", "a2-ib", "b"]),
    ],
)
def test_slurm_hosts_in_the_order_of_ranks(nodes, tasks, hosts):
    found = find_cluster(slurm(nodes, tasks, rank=len(hosts) - 1))
    assert [address.split(":")[0] for address in found.workers] == hosts
    assert len(set(found.workers)) == len(hosts)  # tasks of one node have ports of their own
    assert found.index == len(hosts) - 1


def test_tf_config_wins_over_slurm():
    assert find_cluster({**slurm("n", "1", 0), **tf_config({"worker": ["a:1"]})}).workers == ("a:1",)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "set TF_CONFIG"),
        ({"TF_CONFIG": "{"}, "not usable"),
        ({"TF_CONFIG": '{"cluster": 3}'}, "not usable"),
        (tf_config({"worker": ["a:1"], "ps": ["b:1"]}), "worker alone"),
        (tf_config({"worker": ["a:1"]}, index=1), "this task among them"),
        (tf_config({"worker": ["a"]}), "no host:port"),
    ],
)
def test_what_is_not_usable_is_said(environment, message):
    with pytest.raises(InputError, match=message):
        find_cluster(environment)
