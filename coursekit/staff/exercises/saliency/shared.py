"""Hints that several exercises of saliency have in common."""

CALLERS_IMAGES = "After the call, the caller's images require gradients: work on a detached copy."
CROSS_TERMS = "You pick N x N logits, every label for every image: pick one logit per image."
BATCH_AXIS = "For a single image (N = 1) your result has lost its batch axis: do not squeeze it."
ALIASED = "The in-place ReLU after the layer overwrites the output that your hook kept: use record_outputs."
PRE_SOFTMAX = "You differentiate a probability: differentiate the logit, before the softmax."
OTHER_CLASS = "You differentiate the largest score, that of the predicted class: use the given label."
