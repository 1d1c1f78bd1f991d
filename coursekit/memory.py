"""What Linux and glibc are told about memory, so that tensors and forks cost less. Elsewhere without effect."""

import contextlib
import ctypes
import gc
import sys
from pathlib import Path

# Memory that was freed is kept, not returned and asked for again at each tensor; and it lies in pages of 2 MB, not of 4 KB.
KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**26),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # glibc's numbers for them
MADV_COLLAPSE = 25  # Linux 6.1


def keep_memory(pad: int = 2**26) -> None:
    """Do for this process, which runs already, what the variables MALLOC_ do for one that is started."""
    if sys.platform != "linux":  # Windows cannot even look: CDLL(None) is an error there
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for option, value in (MMAP_MAX, 0), (TRIM_THRESHOLD, 2**30), (TOP_PAD, pad):
            mallopt(option, value)


def prepare_for_forks() -> None:
    """Set apart from garbage collection what is there, and gather it in pages of 2 MB.

    A fork then changes, and copies, little of it. To begin and to end one takes half as long: there are fewer pages.
    """
    gc.collect()
    gc.freeze()
    if sys.platform != "linux":
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
            span, rights, _, _, inode, *_ = line.split()
            if (rights, inode) == ("rw-p", "0"):  # its own, not of a file
                start, end = (int(place, 16) for place in span.split("-"))
                madvise(start, end - start, MADV_COLLAPSE)  # where that is not possible all stays as it is
