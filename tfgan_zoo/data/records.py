"""Any record of a prepared TFDS split by its number, from array_record and TFRecord files alike."""

import functools
import mmap
import struct
import threading

import numpy as np


class Records:
    """The serialized examples of a split, each reached without reading those before it.

    array_record files have an index; a TFRecord file is given one by hopping once from length to length.

    Args:
        instructions: TFDS' list of file instructions (filename, skip, take) of the split.
        random_access: whether they are array_record files; else TFRecord.
    """

    def __init__(self, instructions, random_access):
        self._instructions, self._random_access = instructions, random_access
        self._ends = np.cumsum([one.take for one in instructions])
        self._lock = threading.Lock()

    def __len__(self):
        return int(self._ends[-1])

    def read(self, rows):
        """List of bytes for a sequence of record numbers in [0, len(self)).

        Raises:
            ValueError: if a file is cut short, or no TFRecord file.
            OSError: if a file is not there.
        """
        if self._random_access:
            return self._source.__getitems__([int(row) for row in rows])
        return [self._record(int(row)) for row in rows]

    def origin(self, row):
        """Where a record lies, in words."""
        one, position = self._place(row)
        return f"{one.filename}, record {position}"

    def _place(self, row):
        shard = int(np.searchsorted(self._ends, row, side="right"))
        one = self._instructions[shard]
        return one, one.skip + row - (int(self._ends[shard]) - one.take)

    def _record(self, row):
        one, position = self._place(row)
        with self._lock:  # or several threads would make the same index
            starts = _starts(one.filename)
        if position >= len(starts):
            raise ValueError(f"{one.filename} is cut short: it has {len(starts):,} records. Prepare it again")
        with open(one.filename, "rb", buffering=0) as file:
            file.seek(int(starts[position]))
            length = struct.unpack("<Q4x", file.read(12))[0]
            return file.read(length)

    @functools.cached_property
    def _source(self):
        from array_record.python import array_record_data_source

        return array_record_data_source.ArrayRecordDataSource(self._instructions)


@functools.lru_cache(maxsize=4096)
def _starts(path):
    """int64 positions of the records in a TFRecord file: length (8 bytes), its CRC (4), data, their CRC (4)."""
    starts, at = [], 0
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while at + 16 <= len(content):
            (length,) = struct.unpack_from("<Q", content, at)
            if at + 16 + length > len(content):
                break
            starts.append(at)
            at += 16 + length
    return np.array(starts, "int64")
