"""Shared fixtures. Tests need no GPU and no network; real data is used where it lies beside the checkout."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.disks import Disk, namespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# No test fills, or finds, the caches of whoever runs it.
os.environ["MTA_CACHE"] = tempfile.mkdtemp(prefix="mta-cache-")
atexit.register(shutil.rmtree, os.environ["MTA_CACHE"], ignore_errors=True)

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("MTA_SHARED", REPOSITORY.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and golden values; the test is skipped where it is absent."""
    if not (SHARED / "golden").is_dir():
        pytest.skip(f"needs the real data in {SHARED} (or set MTA_SHARED)")
    return SHARED


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """Disks that are full or read-only; the test is skipped where no file system can be mounted."""
    if not namespace():
        pytest.skip("needs unshare and the right to mount a tmpfs in a namespace")
    folder = tmp_path / "disks"
    folder.mkdir()
    return Disk(folder)
