"""POP909: piano arrangements of 909 Chinese pop songs, no drums.

Origin: Music X Lab, 2020: 909 songs as three tracks (melody, bridge, piano), and further versions of many.

Citation: Wang, Chen, Jiang, Zhang, Xu, Dai, Bin, Xia: POP909: A Pop-song Dataset for Music Arrangement Generation, ISMIR 2020.

Licence: MIT.

Checksums: one digest of all songs. Layout: ``piano/pop909/001.mid`` ... or ``POP909/001/001.mid`` ... as cloned; the further
versions there (``versions``) are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets.checksums import ChecksumIndex
from backbeat.datasets.folders import find_folder, list_files
from backbeat.datasets.source import Dataset, Source


def list_songs(data: Path) -> Iterator[Source]:
    """The songs; named 001.mid in either layout.

    Raises:
        InputError: the data set is not below ``data``.
    """
    folder = find_folder(data, "piano/pop909", "pop909", "POP909", "POP909-Dataset/POP909")
    if folder is None:
        raise DATASET.missing(data)
    for path, name in list_files(folder):
        if "/versions/" not in name:
            yield Source(path, name.rpartition("/")[2], "pop", licence="MIT")


DATASET = Dataset(
    name="pop909",
    title="POP909: piano arrangements of 909 Chinese pop songs, no drums",
    citation="Wang, Chen, Jiang, Zhang, Xu, Dai, Bin, Xia: POP909: A Pop-song Dataset for Music Arrangement Generation, ISMIR 2020",
    licence="MIT",
    download="put the folder POP909 of https://github.com/music-x-lab/POP909-Dataset there",
    list_all=list_songs,
    index=ChecksumIndex("pop909"),
)
