"""Frames on a socket: a header, raw numbers after it. Lengths are capped before memory is taken, waiting has a deadline."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Sequence

from coursekit.errors import CheckEnded

LENGTHS = struct.Struct(">IQ")  # header, body
MAX_HEADER = 8 * 2**20
MAX_BODY = 64 * 2**20
MAX_TOTAL = 2**30  # of all frames of one check
AHEAD = 2**16
TIME_IS_UP = 124  # the exit code of a worker that has used up its processor time


class WorkerGone(CheckEnded):
    """The worker ended, broke the protocol or did not answer in time; it is not used any more."""

    def __init__(self, message: str, outcome: str = "crashed") -> None:
        super().__init__(message, outcome)


class Channel:
    """One end of a stream socket; without a deadline it waits as long as it takes."""

    def __init__(self, stream: socket.socket, *, caps: bool = True) -> None:
        self.stream, self.caps = stream, caps
        self.deadline: float | None = None
        self.received = 0  # bytes since the check began
        self.ahead = memoryview(b"")

    def send(self, header: bytes, buffers: Sequence[memoryview | bytes] = ()) -> None:
        body = sum(len(buffer) for buffer in buffers)
        # In one piece: a part of a message would wake the other end for nothing.
        message = b"".join((LENGTHS.pack(len(header), body), header, *buffers))
        self._wait()
        try:
            self.stream.sendall(message)
        except TimeoutError:
            raise _late() from None
        except OSError:
            raise WorkerGone("the worker ended") from None

    def receive(self) -> tuple[bytes, memoryview]:
        header, body = LENGTHS.unpack(self._read(LENGTHS.size))
        self.received += header + body
        if self.caps and (header > MAX_HEADER or body > MAX_BODY or self.received > MAX_TOTAL):
            size = (header + body) / 2**20
            raise WorkerGone(f"a result of {size:.0f} MB: that is more than any function returns here")
        return bytes(self._read(header)), self._read(body)

    def _read(self, size: int) -> memoryview:
        """Return the next bytes; what has arrived beyond them is kept for the next reading."""
        if size <= len(self.ahead):
            piece, self.ahead = self.ahead[:size], self.ahead[size:]
            return piece
        buffer = memoryview(bytearray(max(size, AHEAD)))
        done = len(self.ahead)
        buffer[:done] = self.ahead
        while done < size:
            self._wait()
            try:
                count = self.stream.recv_into(buffer[done:])
            except TimeoutError:
                raise _late() from None
            except OSError:
                count = 0
            if not count:
                raise WorkerGone("the worker ended")
            done += count
        self.ahead = buffer[size:done]
        return buffer[:size]

    def _wait(self) -> None:
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise _late()
            self.stream.settimeout(left)

    def unasked(self) -> bool:
        """Whether the other end has spoken without being asked."""
        return bool(len(self.ahead) or select.select([self.stream], [], [], 0)[0])

    def close(self) -> None:
        self.stream.close()


def _late() -> WorkerGone:
    return WorkerGone("no answer in time", "timeout")
