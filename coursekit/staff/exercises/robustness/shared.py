"""Hints that several exercises of robustness have in common."""

WEAKER = "For severity 2 you use the setting of severity 1: the table's first entry is severity 1."
SHARED = "All images of the batch get the same random numbers: draw new ones for each image."
GREY = "All three channels get the same noise: draw a random number for each channel too."
CLAMP = "Some values lie outside [0, 1]: clamp the result."
SOURCE = "You draw from torch's global generator: draw from the generator you were given."
CALLERS = "You write into the caller's images: compute a new tensor."
BORDER = "Zeros beyond the image darken its edge: repeat the outermost pixels instead."
