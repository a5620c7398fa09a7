"""Arrays in one file: what is written is read, and nothing else is."""

import json

import numpy as np
import pytest

from backbeat.originality.arrays import read_arrays, write_arrays

ARRAYS = {"words": np.arange(7, dtype=np.uint16), "none": np.zeros((0, 3), np.int32), "rows": np.arange(12, dtype=np.uint64).reshape(2, 3, 2)[:, ::2]}


def test_what_is_written_is_read(tmp_path):
    table = json.loads(json.dumps(write_arrays(tmp_path / "a.bin", ARRAYS)))
    read = read_arrays(tmp_path / "a.bin", table)
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype and np.array_equal(read[name], array) and type(read[name]) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        read["words"][0] = 1


def test_nothing_is_written_and_read(tmp_path):
    assert read_arrays(tmp_path / "a.bin", write_arrays(tmp_path / "a.bin", {})) == {}


@pytest.mark.parametrize("length", [0, 10, -1, 1000])
def test_a_file_of_another_length_is_refused(tmp_path, length):
    table = write_arrays(tmp_path / "a.bin", ARRAYS)
    whole = (tmp_path / "a.bin").read_bytes()
    (tmp_path / "a.bin").write_bytes(whole[:length] if length < 1000 else whole + b"\0")
    with pytest.raises(ValueError, match="bytes, not"):
        read_arrays(tmp_path / "a.bin", table)
