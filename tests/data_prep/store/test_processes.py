import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.store import make_rows, open_patches, write_store
from tests.data_prep.store.samples import pixels


@pytest.fixture
def patches(tmp_path):
    write_store(tmp_path / "a.h5", pixels(200), make_rows(200))
    with open_patches(tmp_path / "a.h5") as opened:
        yield opened


def test_threads_share_one_handle(patches):
    with ThreadPoolExecutor(8) as pool:
        blocks = list(pool.map(lambda start: patches.read(start, start + 20), list(range(0, 200, 20)) * 5))
    np.testing.assert_array_equal(np.concatenate(blocks[:10]), pixels(200))
    np.testing.assert_array_equal(np.concatenate(blocks[-10:]), pixels(200))


def _answer(patches, queue):
    queue.put((os.getpid(), patches.take([150, 3])))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_its_own(patches):
    before = patches.take([150, 3])
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    workers = [context.Process(target=_answer, args=(patches, queue)) for _ in range(2)]
    for worker in workers:
        worker.start()
    answers = [queue.get(timeout=30) for _ in workers]
    for worker in workers:
        worker.join()
    assert len({pid for pid, _ in answers} | {os.getpid()}) == 3
    for _, block in answers:
        np.testing.assert_array_equal(block, before)
    np.testing.assert_array_equal(patches.take([150, 3]), before)


def test_closed_patches_open_again_and_a_vanished_file_is_named(patches, tmp_path):
    first = patches[0]
    patches.close()
    np.testing.assert_array_equal(patches[0], first)
    patches.close()
    (tmp_path / "a.h5").unlink()
    with pytest.raises(InputError, match=r"a\.h5: there is no such file"):
        patches.read(0, 1)
