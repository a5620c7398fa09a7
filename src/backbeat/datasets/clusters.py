"""Clusters of copies, and which of their members a corpus keeps: splits never share a cluster.

Pieces belong together that have the same bytes, the same content in any key and tempo, a similar MinHash (found by locality-
sensitive hashing, so that no all-pairs comparison is made), or that their data set states as one cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.datasets.fingerprints import PERMUTATIONS, SCHEME
from backbeat.errors import MissingExtraError

SIMILAR = (0.25, 0.3)
"""Jaccard similarity of the band's and the drums' shingles from which pieces count as near-duplicates; of 170,000 pairs of songs no bands of
other works have more than 0.18, but three songs of one arranger share 0.4 of their drums."""
SAME, MANY = 0.7, 32
"""Others need not be compared with a piece that has an earlier twin as similar as this, or so many twins."""
BANDS, ROWS = 42, 3
"""Of the hashing: a pair of similarity 0.4 meets with probability 0.94, one of 0.05 with 0.005."""
PARTS = ("band", "drums")
PRECEDENCE = {"test": 0, "validation": 1, "train": 2, "": 3}
"""Of a cluster that reaches over splits, the members of the first of these stay."""
SHARES = (("validation", 0.05), ("test", 0.1))
"""Splits that pieces get whose data set has none: the first twentieth validation, the next one test, the rest train."""

Signatures = npt.NDArray[np.uint32]


class Clusters:
    """Pieces joined into clusters one after the other; the root of a cluster is its first member.

    Raises:
        MissingExtraError: datasketch is not installed.
    """

    def __init__(self) -> None:
        try:
            from datasketch import LeanMinHash, MinHashLSH
        except ImportError as error:
            raise MissingExtraError("datasketch", "data") from error
        self._wrap = LeanMinHash
        self._indexes = [MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, ROWS)) for _ in PARTS]
        self._signatures: list[dict[int, Signatures]] = [{} for _ in PARTS]
        self._seen: dict[tuple[str, str], int] = {}
        self._parents: list[int] = []
        self.reasons: list[tuple[str, int]] = []
        """Of each piece why it joined an earlier one, and which; ("", its own number) where it did not."""

    def __len__(self) -> int:
        return len(self._parents)

    def add(self, row: dict[str, Any], signature: Signatures) -> int:
        """Add a piece and join it to what it copies.

        Args:
            row: its manifest row.
            signature: uint32 [2, 128], see ``fingerprints.Fingerprint``.

        Returns:
            its number.
        """
        number = len(self._parents)
        self._parents.append(number)
        self.reasons.append(("", number))
        for reason, key in (("duplicate bytes", row["sha256"]), ("duplicate content", row["content"]), ("near-duplicate as stated", row["stated_cluster"])):
            if key:
                self._join(number, self._seen.setdefault((reason, key), number), reason)
        for part, minhash in enumerate(signature):
            if minhash.any():
                self._join_similar(number, part, minhash)
        return number

    def _join_similar(self, number: int, part: int, signature: Signatures) -> None:
        """Join a piece to the earlier ones that are similar, and remember it for later ones unless it says nothing new."""
        minhash = self._wrap(seed=1, hashvalues=signature, scheme=SCHEME)
        known = self._signatures[part]
        found = {n: float(np.mean(known[n] == signature)) for n in sorted(self._indexes[part].query(minhash))}
        twins = [n for n, similarity in found.items() if similarity >= SIMILAR[part]]
        for twin in twins:
            self._join(number, twin, f"near-duplicate by its {PARTS[part]}")
        if len(twins) < MANY and max(found.values(), default=0.0) < SAME:
            self._indexes[part].insert(number, minhash, check_duplication=False)
            known[number] = signature.copy()

    def _join(self, number: int, other: int, reason: str) -> None:
        if number == other:
            return
        a, b = self.find(number), self.find(other)
        self._parents[max(a, b)] = min(a, b)
        if not self.reasons[number][0]:
            self.reasons[number] = (reason, other)

    def find(self, number: int) -> int:
        """The first member of a piece's cluster."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number


def choose_split(sha256: str) -> str:
    """The split of a piece whose data set has none: by its bytes, so that the same file falls on the same side everywhere."""
    place = int(sha256[:8], 16) / (1 << 32)
    return next((name for name, below in SHARES if place < below), "train")


@dataclass(frozen=True)
class Verdict:
    """What becomes of a piece.

    Args:
        cluster: number of the first piece of its cluster.  split: where it belongs.
        result: "kept" or the reason for leaving it out.  twin: number of the piece it copies, its own if none.
    """

    cluster: int
    split: str
    result: str
    twin: int


def judge(clusters: Clusters, splits: Sequence[str], digests: Sequence[str], *, keep_copies: bool = False) -> Iterator[Verdict]:
    """Decide over every piece.

    Args:
        clusters: all pieces.
        splits: the split that each piece's data set states, "" where none.
        digests: SHA-256 of each, in hex.
        keep_copies: keep every member of a cluster (all in one split) instead of one.

    Yields:
        one verdict a piece, in order. A cluster that reaches over splits stays in the first of test, validation and train.
    """
    chosen: dict[int, int] = {}
    for number in range(len(clusters)):
        root = clusters.find(number)
        best = chosen.setdefault(root, number)
        if PRECEDENCE.get(splits[number], 3) < PRECEDENCE.get(splits[best], 3):
            chosen[root] = number
    for number in range(len(clusters)):
        root = clusters.find(number)
        best = chosen[root]
        split = splits[best] or choose_split(digests[root])
        reason, twin = clusters.reasons[number]
        if number == best or (keep_copies and splits[number] in ("", split)):
            yield Verdict(root, split, "kept", number)
        else:
            yield Verdict(root, split, reason or "near-duplicate", twin if reason else best)
