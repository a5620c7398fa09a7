"""Engines that compute blocks: this process, a pool of processes, or a Ray cluster. All give the same bytes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from typing import Any, TypeVar

from backbeat.errors import MissingExtraError

T = TypeVar("T")
R = TypeVar("R")
Tasks = Sequence[tuple[int, T]]
AHEAD = 3
"""Tasks in flight for each worker, so that memory does not grow with their number."""


def run_here(work: Callable[[T], R], tasks: Tasks[T]) -> Iterator[tuple[int, R]]:
    """One after the other, in this process."""
    for index, task in tasks:
        yield index, work(task)


def use_one_thread() -> None:
    """Keep numpy's matrix products in this process to one thread: ours are small, and threads that wait for each other cost ten times as much."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("threadpoolctl", "data") from error
    threadpool_limits(1)


def run_pool(work: Callable[[T], R], tasks: Tasks[T], workers: int, rescue: Callable[[T], R]) -> Iterator[tuple[int, R]]:
    """In a pool of processes.

    Args:
        work: a function of a module.
        tasks: numbered.
        workers: processes.
        rescue: called here with a task that kills its process even when it runs alone.

    Yields:
        number and result, in the order in which they are done.
    """
    left = list(tasks)
    while left:
        done: set[int] = set()
        running: set[int] = set()
        try:
            for index, result in _run_until_broken(work, left, workers, running):
                done.add(index)
                yield index, result
            return
        except BrokenProcessPool:
            suspects = [t for t in left if t[0] in running]
            left = [t for t in left if t[0] not in done | running]
        for index, task in suspects:
            yield index, run_alone(work, task, rescue)


def run_alone(work: Callable[[T], R], task: T, rescue: Callable[[T], R]) -> R:
    """Run a task in a process of its own; what ``rescue`` makes of it where that process dies."""
    with ProcessPoolExecutor(1, initializer=_start_worker, initargs=(os.getpid(),)) as pool:
        try:
            return pool.submit(work, task).result()
        except BrokenProcessPool:
            return rescue(task)


def _run_until_broken(work: Callable[[T], R], tasks: Tasks[T], workers: int, running: set[int]) -> Iterator[tuple[int, R]]:
    waiting = iter(tasks)
    futures: dict[Future[R], int] = {}
    pool = ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(os.getpid(),))
    try:
        while True:
            for index, task in _take(waiting, workers * AHEAD - len(futures)):
                running.add(index)
                futures[pool.submit(work, task)] = index
            if not futures:
                return
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                index = futures.pop(future)
                result = future.result()
                running.discard(index)
                yield index, result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _start_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when the parent is gone (it may have been killed)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_one_thread()
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def run_ray(work: Callable[[T], R], tasks: Tasks[T], address: str | None = None) -> Iterator[tuple[int, R]]:
    """On a Ray cluster, which starts a task again elsewhere when its worker or node dies.

    Every node must see the files of the sources under the same paths; results come back to this process.

    Args:
        work: a function of a module that is installed on every node.
        tasks: numbered.
        address: of the cluster; by default that of RAY_ADDRESS, else one is started on this machine.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    try:
        ray: Any = import_module("ray")
    except ImportError as error:
        raise MissingExtraError("ray", "scale") from error
    started = not ray.is_initialized()
    if started:
        ray.init(address=address or os.environ.get("RAY_ADDRESS"), log_to_driver=False, logging_level="error", include_dashboard=False)
    try:

        def call(task: T) -> R:
            return work(task)

        remote = ray.remote(max_retries=5)(call)
        waiting = iter(tasks)
        limit = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        running = {remote.remote(task): index for index, task in _take(waiting, limit)}
        while running:
            (done,), _ = ray.wait(list(running), num_returns=1)
            index = running.pop(done)
            result = ray.get(done)
            running |= {remote.remote(task): i for i, task in _take(waiting, 1)}
            yield index, result
    finally:
        if started:
            ray.shutdown()


def _take(items: Iterator[tuple[int, T]], count: int) -> Iterator[tuple[int, T]]:
    for _, item in zip(range(count), items, strict=False):
        yield item
