"""Noticing that another machine of the run is gone.

TensorFlow ends a step that waits for a worker whose connection breaks, but not one that never gets an answer, and not
what a worker does between two steps.
"""

import os
import socket
import sys
import threading
from collections.abc import Callable

INTERVAL = 5.0  # s between two looks
ANSWER = 8.0  # s that a peer has to answer
MISSES = 3  # in a row, until it is taken for gone: within a minute even for a machine that is switched off
PEER_GONE = 3  # exit status


def end_process(message: str) -> None:
    """Print one line and end this process at once: its main thread may be waiting inside TensorFlow forever."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()
    os._exit(PEER_GONE)


class Watch:
    """Looks every few seconds whether the other workers still listen.

    Args:
        peers: number -> "host:port".
        gone: called with one line when one does not; normally ends the process.
    """

    def __init__(self, peers: dict[int, str], gone: Callable[[str], None] = end_process) -> None:
        self._misses, self._peers, self._gone = dict.fromkeys(peers, 0), peers, gone
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        """Begin; all peers must be listening by now."""
        self._thread.start()

    def stop(self) -> None:
        """No longer mind that a peer ends."""
        self._over.set()

    def wait(self) -> None:
        """Give the watch time to find out which peer is the reason for an error; returns if none is."""
        self._over.wait((INTERVAL + ANSWER) * (MISSES + 1))

    def _look(self) -> None:
        while not self._over.wait(INTERVAL):
            for number, address in self._peers.items():
                self._misses[number] = 0 if _listens(address) else self._misses[number] + 1
                if self._misses[number] >= MISSES and not self._over.is_set():
                    return self._gone(
                        f"worker {number} ({address}) has ended, and this one with it; when it is back, the same "
                        "command on all workers continues the run"
                    )


def _listens(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()
    except OSError:
        return False
    return True
