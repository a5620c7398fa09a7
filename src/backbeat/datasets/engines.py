"""Engines that compute blocks: this process, a pool of processes, or a Ray cluster. All give the same bytes."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from importlib import import_module
from typing import Any, TypeVar

from backbeat.errors import InputError, MissingExtraError

T = TypeVar("T")
R = TypeVar("R")
Tasks = Sequence[tuple[int, T]]
Results = Generator[tuple[int, R], None, None]
Rescue = Callable[[T, Callable[[Callable[[T], R], T], R | None]], R]
AHEAD = 3
"""Tasks in flight for each worker, so that memory does not grow with their number."""


def run_here(work: Callable[[T], R], tasks: Tasks[T]) -> Results[R]:
    """One after the other, in this process."""
    for index, task in tasks:
        yield index, work(task)


def use_one_thread() -> None:
    """Keep numpy's matrix products in this process to one thread: ours are small, and threads that wait for each other cost ten times as much.

    Nothing is done where threadpoolctl, of the extra ``data``, is not installed: the results are the same.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(1)


def run_pool(work: Callable[[T], R], tasks: Tasks[T], workers: int, rescue: Rescue[T, R]) -> Results[R]:
    """In a pool of processes, which end at once where the caller stops before all is done.

    Args:
        work: a function of a module.
        tasks: numbered.
        workers: processes.
        rescue: given a task that kills its process even when it runs alone, and ``run_alone``; what it makes of it is the result.

    Yields:
        number and result, in the order in which they are done.
    """
    left = list(tasks)
    while left:
        done: set[int] = set()
        running: set[int] = set()
        try:
            with closing(_run_until_broken(work, left, workers, running)) as results:
                for index, result in results:
                    done.add(index)
                    yield index, result
            return
        except BrokenProcessPool:
            suspects = [t for t in left if t[0] in running]
            left = [t for t in left if t[0] not in done | running]
        for index, task in suspects:
            result_alone = run_alone(work, task)
            yield index, rescue(task, run_alone) if result_alone is None else result_alone


def run_alone(work: Callable[[T], R], task: T) -> R | None:
    """Run a task in a process of its own; None where that process dies."""
    with _open_pool(1) as pool:
        try:
            return pool.submit(work, task).result()
        except BrokenProcessPool:
            return None


@contextmanager
def _open_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool that ends when this is left; its tasks too, however long they would still take, when it is left by an error or Ctrl-C."""
    pool = ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(os.getpid(),))
    try:
        yield pool
    except BaseException:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        raise
    pool.shutdown()


def _run_until_broken(work: Callable[[T], R], tasks: Tasks[T], workers: int, running: set[int]) -> Results[R]:
    waiting = iter(tasks)
    futures: dict[Future[R], int] = {}
    with _open_pool(workers) as pool:
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


def _start_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when the parent is gone (it may have been killed)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_one_thread()
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def run_ray(work: Callable[[T], R], tasks: Tasks[T], rescue: Rescue[T, R], address: str | None = None) -> Results[R]:
    """On a Ray cluster, which starts a task again elsewhere when its worker or node dies.

    Every node must see the files of the sources under the same paths; results come back to this process.

    Args:
        work: a function of a module that is installed on every node.
        tasks: numbered.
        rescue: as for ``run_pool``: given a task that kills its worker again and again.
        address: of the cluster; by default that of RAY_ADDRESS, else one is started on this machine.

    Yields:
        number and result, in the order in which they are done.

    Raises:
        InputError: there is no cluster at that address.
        MissingExtraError: Ray is not installed.
    """
    ray = load_ray()
    with _join_cluster(ray, address or os.environ.get("RAY_ADDRESS")):
        calls = _RayCalls(ray, work)
        waiting = iter(tasks)
        limit = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        running = {calls.start(task): (index, task) for index, task in _take(waiting, limit)}
        while running:
            (done,), _ = ray.wait(list(running), num_returns=1)
            index, task = running.pop(done)
            result = calls.get(done)
            running |= {calls.start(t): (i, t) for i, t in _take(waiting, 1)}
            yield index, rescue(task, calls.run_alone) if result is None else result


def load_ray() -> Any:  # noqa: ANN401 - a module
    """Import Ray.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        raise MissingExtraError("ray", "scale") from error


@contextmanager
def _join_cluster(ray: Any, address: str | None) -> Iterator[None]:  # noqa: ANN401 - a module
    """Be connected with a cluster; one that this process is connected with already stays so."""
    if ray.is_initialized():
        yield
        return
    try:
        _reach(address)
        ray.init(address=address, log_to_driver=False, logging_level="error", include_dashboard=False if address is None else None)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"no Ray cluster at {address or 'this machine'} ({error}): start one with 'ray start --head', or unset RAY_ADDRESS") from None
    try:
        yield
    finally:
        ray.shutdown()


def _reach(address: str | None) -> None:
    """Raise OSError where nobody listens at ``host:port``, which Ray would go on trying for ten minutes."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        with socket.create_connection((host.strip("[]"), int(port)), timeout=10):
            pass


class _RayCalls:
    """Tasks on a cluster; a result is None where worker after worker died of the task."""

    def __init__(self, ray: Any, work: Callable[[T], R]) -> None:  # noqa: ANN401 - a module
        self._ray, self._call = ray, ray.remote(max_retries=5)(_call)
        self._work = work

    def start(self, task: T) -> Any:  # noqa: ANN401 - a reference of Ray
        """Begin a task."""
        return self._call.remote(self._work, task)

    def get(self, reference: Any) -> Any:  # noqa: ANN401 - as above
        """Wait for what a task gives."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError:
            return None

    def run_alone(self, work: Callable[[T], R], task: T) -> R | None:
        """Run a task, which may kill its worker."""
        result: R | None = self.get(self._call.options(max_retries=1).remote(work, task))
        return result


def _call(work: Callable[[T], R], task: T) -> R:
    return work(task)


def _take(items: Iterator[tuple[int, T]], count: int) -> Iterator[tuple[int, T]]:
    for _, item in zip(range(count), items, strict=False):
        yield item
