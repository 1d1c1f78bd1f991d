"""Who does the jobs: threads of this process, or those of the workers of a dask cluster. The threads of a process share a room."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from coursekit.errors import UsageError

CONNECT_SECONDS = 15


@dataclass(frozen=True)
class Pool:
    """An executor, and how many jobs it does at a time, which may change while it works."""

    executor: Executor
    width: Callable[[], int]


@contextmanager
def local_pool(workers: int) -> Iterator[Pool]:
    """Threads: student code and its checks run in processes of their own, so a thread only waits and draws."""
    executor = ThreadPoolExecutor(workers, thread_name_prefix="a2-class")
    try:
        yield Pool(executor, lambda: workers)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def refuse_address(address: str) -> None:
    """Raise UsageError for what is not an address of a scheduler: dask's client would leave a traceback half a minute later."""
    if not re.fullmatch(r"\w+://.+:\d+", address):
        raise UsageError(
            f"--scheduler {address} is not an address: write protocol, host and port, as in tcp://10.0.0.1:8786"
        )


@contextmanager
def dask_pool(address: str, most: float = math.inf) -> Iterator[Pool]:
    """The workers of the dask scheduler at an address, most of them at a time; one that dies has its jobs done by another."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--scheduler needs dask: ./setup.sh installs it (coursekit/staff/requirements.txt)") from None
    _refuse_other_servers(address)
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"no dask scheduler answers at {address} ({error}): start one with `dask scheduler`") from None
    try:
        _wait_for_a_worker(client, address)
        executor = client.get_executor(pure=False, retries=2)
        yield Pool(executor, lambda: int(min(most, max(1, sum(client.nthreads().values())))))
    finally:
        client.close()


def _refuse_other_servers(address: str) -> None:
    """Raise UsageError for what listens and is no scheduler, which speaks first: dask's client would wait without an end."""
    where = re.fullmatch(r"tcp://\[?(.+?)\]?:(\d+)", address)
    with contextlib.suppress(OSError):  # nobody listens: the client says so
        if where and not _speaks_first(where[1], int(where[2])):
            raise UsageError(
                f"what listens at {address} is not a dask scheduler: name its own port (8786), not the dashboard's (8787)"
            )


def _speaks_first(host: str, port: int) -> bool:
    with socket.create_connection((host, port), timeout=CONNECT_SECONDS) as stream:
        try:
            return bool(stream.recv(1))
        except TimeoutError:
            return False


def _wait_for_a_worker(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except (TimeoutError, asyncio.TimeoutError):  # one and the same from Python 3.11 on
        raise UsageError(
            f"the dask scheduler at {address} has no worker: start one with `dask worker {address}`"
        ) from None
