"""Runs of several processes on the loopback."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack

from tests.builders import tiny_flags


def free_addresses(count):
    """Addresses whose ports nobody had a moment ago."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]


def start(count, store, out, cache, **settings):
    """`count` workers of one run; each has its own cache."""
    addresses = free_addresses(count)
    flags = tiny_flags(strategy="multiworker", **settings)
    command = [sys.executable, "-m", "mta.train", str(store), "--out", str(out), "--quiet", *flags]
    started = []
    for index in range(count):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task), "MTA_CACHE": f"{cache}-{index}"}
        started.append(
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=os.getcwd()
            )
        )
    return started


def finish(workers, timeout=300):
    """Exit statuses, standard output and standard error of `workers`; none outlives this."""
    try:
        printed = [worker.communicate(timeout=timeout) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    return [worker.returncode for worker in workers], *zip(*printed, strict=True)
