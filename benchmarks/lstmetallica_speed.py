"""How fast LSTMetallica learns and plays, beside the published 0.8 h an epoch and 4.5 words a second.

    python benchmarks/lstmetallica_speed.py [--data FOLDER] [--updates 3] [--original]

An epoch of the original reads 23,187 windows of 256 words (its main loop; 23,203 of 128) to learn one word of each; an epoch here reads
185,759 words once and learns all of them. ``--original`` also times updates of the original's own network, two layers of 512 on
windows (tens of seconds each). One thread; processor seconds, for the machine may be busy, and wall seconds.
"""

import argparse
import os
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

from backbeat.codecs.metallica_text import STEPS
from backbeat.datasets.lstmetallica import DATASET
from backbeat.models.lstmetallica import Lstmetallica

PUBLISHED_HOURS, PUBLISHED_WORDS = 0.8, 4.5


def time_playing(bars: int) -> None:
    model = Lstmetallica.shipped()
    model.play_song(np.random.default_rng(0), bars=2, may_end=False)
    for name, clock in (("processor", time.process_time), ("wall", time.perf_counter)):
        started = clock()
        words = len(model.play_song(np.random.default_rng(1), bars=bars, may_end=False)) * (STEPS + 1) / STEPS
        rate = words / (clock() - started)
        print(f"playing: {rate:,.0f} words a {name} second, {rate / PUBLISHED_WORDS:,.0f} times the published {PUBLISHED_WORDS}")


def time_training(data: Path, updates: int, *, original: bool) -> None:
    import torch

    from backbeat.evaluation.learning import Data
    from backbeat.training.loop import Run
    from backbeat.training.lstmetallica import TRAINABLE, SongTask, make_task

    torch.set_num_threads(1)
    sources = sorted(DATASET.list_sources(data), key=lambda s: s.name.lower())
    for name in ["song", "carried", *(["original"] if original else [])]:
        recipe = TRAINABLE.choose(name)
        task = make_task(recipe, Data("lstmetallica", sources, sources[-1:]))
        lanes = task.lanes if isinstance(task, SongTask) or task.lanes else None
        whole = lanes.updates if lanes else -(-len(task.windows) // recipe.batch)
        with tempfile.TemporaryDirectory() as folder:
            run = Run(Path(folder), task, recipe, {})
            run.step()
            before = time.process_time(), time.perf_counter()
            for _ in range(updates):
                run.step()
            spent, wall = ((now - then) / updates for now, then in zip((time.process_time(), time.perf_counter()), before, strict=True))
        times = PUBLISHED_HOURS * 3600 / (spent * whole)
        print(f"{name}: an update {spent:.2f} processor s ({wall:.2f} wall), an epoch of {whole} updates {spent * whole:,.0f} s", end=", ")
        print(f"{times:.3g} times as fast as the published {PUBLISHED_HOURS} h")


def measure_memory(data: Path) -> None:
    """Peak of what is allocated to cut windows of the 57 songs' text and to read a batch of 128, by length; beside the original's array."""
    from backbeat.training.lstmetallica import TRAINABLE, spell
    from backbeat.training.metallica_lanes import Windows, read_songs

    recipe = TRAINABLE.choose("original")
    texts = [spell(words, recipe) for words in read_songs(sorted(DATASET.list_sources(data), key=lambda s: s.name.lower()), 1)]
    types = sorted({token for text in texts for token in text})
    numbers = {token: k for k, token in enumerate(types)}
    text = np.array([numbers[token] for line in texts for token in line], np.int64)
    for length in (64, 256, 1024):
        tracemalloc.start()
        windows = Windows(text, length, recipe.step, 1)
        for update in range(3):
            windows.batch(update, recipe.batch, 0, 1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        whole = len(windows) * length * len(types)
        print(f"memory: {len(windows):,} windows of {length} words: {peak / 1e6:.2f} MB beside {text.nbytes / 1e6:.1f} MB of text", end=", ")
        print(f"the original's one-hot array {whole / 1e9:.2f} GB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("BACKBEAT_DATA", "data")))
    parser.add_argument("--updates", type=int, default=3)
    parser.add_argument("--bars", type=int, default=120)
    parser.add_argument("--original", action="store_true")
    arguments = parser.parse_args()
    time_playing(arguments.bars)
    measure_memory(arguments.data)
    time_training(arguments.data, arguments.updates, original=arguments.original)


if __name__ == "__main__":
    main()
