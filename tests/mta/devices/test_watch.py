import socket
import time

import pytest

from mta.devices import watch
from mta.devices.watch import Watch


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server, f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(watch, "INTERVAL", 0.02)


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_a_peer_that_stops_listening_is_told_once_by_name(listening):
    server, address = listening
    lost = []
    watching = Watch({3: address}, lost.append)
    watching.start()
    time.sleep(0.3)
    assert lost == []
    server.close()
    assert wait_for(lambda: lost)
    watching.stop()
    assert len(lost) == 1
    assert lost[0].startswith(f"worker 3 ({address}) has ended")


def test_after_the_end_of_the_run_peers_may_go(listening):
    server, address = listening
    lost = []
    watching = Watch({1: address}, lost.append)
    watching.start()
    watching.stop()
    server.close()
    time.sleep(0.3)
    assert lost == []


def test_nobody_to_watch():
    lost = []
    watching = Watch({}, lost.append)
    watching.start()
    watching.stop()
    assert lost == []
