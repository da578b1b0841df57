"""The file of a feature cache: one fixed-size record an entry, each with its own check sum."""

import os
import zlib
from pathlib import Path

import numpy as np

Shapes = list[tuple[int, ...]]
_PRESENT = 1 << 32  # a mark is this and the CRC-32 of its record; 0 is "not there"


class FeatureFile:
    """Records of the tensors of `count` entries, in any order of writing, on disk only where they were written.

    A record is written before its mark, and is read back only if the two agree: what a crash, a full disk or a bad disk
    left half-written or changed is simply not there, and is computed again.

    Args:
        folder: where the two files are, made if needed: `features.bin` with the records, `marks.bin` with the marks.
        count: entries.
        shapes: of the tensors of an entry.
        dtype: "float32" or "float16", of the numbers on disk.
    """

    def __init__(self, folder: Path, count: int, shapes: Shapes, dtype: str) -> None:
        self._shapes, self._dtype = shapes, np.dtype(dtype)
        self._sizes = [int(np.prod(shape)) for shape in shapes]
        self.record_bytes = sum(self._sizes) * self._dtype.itemsize
        self._file = os.open(folder / "features.bin", os.O_RDWR | os.O_CREAT, 0o644)
        self._marks = _marks(folder / "marks.bin", count)
        # A file that was cut short has lost its last records.
        self._marks[os.fstat(self._file).st_size // self.record_bytes :] = 0
        self._checked = np.zeros(count, bool)

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._file)
        del self._marks

    def present(self, entries: np.ndarray) -> np.ndarray:
        """Which of `entries` (n,) have been written, (n,) bool."""
        return self._marks[entries] != 0

    def write(self, entries: np.ndarray, tensors: list[np.ndarray]) -> None:
        """Write the records of `entries` (n,); `tensors` are (n, *shape) each.

        Raises:
            OSError: when the disk is full; the records before stay good.
        """
        flat = [np.ascontiguousarray(tensor, self._dtype).reshape(len(entries), -1) for tensor in tensors]
        records = np.concatenate(flat, axis=1)
        for entry, record in zip(entries, records, strict=True):
            data = record.tobytes()
            self._write(int(entry) * self.record_bytes, data)
            self._marks[entry] = _PRESENT | zlib.crc32(data)
            self._checked[entry] = True

    def _write(self, place: int, data: bytes) -> None:
        while data:
            done = os.pwrite(self._file, data, place)
            data, place = data[done:], place + done

    def flush(self) -> None:
        """Bring everything to the disk itself."""
        os.fsync(self._file)
        self._marks.flush()

    def read(self, entries: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Tensors (n, *shape) float32 of `entries` (n,), and which of them are good (n,); the others are zeros."""
        records = np.zeros((len(entries), self.record_bytes), np.uint8)
        good = np.array([self._read(int(entry), record) for entry, record in zip(entries, records, strict=True)], bool)
        records[~good] = 0
        parts = np.split(records.view(self._dtype), np.cumsum(self._sizes)[:-1], axis=1)
        tensors = [
            np.ascontiguousarray(part, np.float32).reshape(len(entries), *shape)
            for part, shape in zip(parts, self._shapes, strict=True)
        ]
        return tensors, good

    def _read(self, entry: int, record: np.ndarray) -> bool:
        """Fill `record` with that of `entry`; whether it is there and whole. Its sum is taken the first time only."""
        mark = int(self._marks[entry])
        if not mark or os.preadv(self._file, [record.data], entry * self.record_bytes) != len(record):
            return False
        if not self._checked[entry]:
            if mark != _PRESENT | zlib.crc32(record.data):
                self._marks[entry] = 0
                return False
            self._checked[entry] = True
        return True


def _marks(path: Path, count: int) -> np.memmap:
    """The marks in the file `path`, which is made, or brought to its length, where it is not of `count` marks."""
    with open(path, "ab") as file:
        file.truncate(count * 8)
    return np.memmap(path, np.uint64, "r+", shape=(count,))
