"""For glibc: memory that was freed is kept, not returned and asked for again at each tensor. Elsewhere without effect."""

import ctypes
import sys

KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**32), "MALLOC_TOP_PAD_": str(2**26)}
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # glibc's numbers for them


def keep_memory(pad: int = 2**26) -> None:
    """Do for this process, which runs already, what the variables KEEP_MEMORY do for one that is started."""
    if sys.platform != "linux":  # Windows cannot even look: CDLL(None) is an error there
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for option, value in (MMAP_MAX, 0), (TRIM_THRESHOLD, 2**30), (TOP_PAD, pad):
            mallopt(option, value)
