"""Hints that several exercises of adversarial have in common."""

OWN_GUESS = "You replace the labels by the predicted classes: use the given labels."
LEFT_BEHIND = "After the call the network's parameters have a .grad: ask autograd for the image gradient only."
OUT_OF_RANGE = "Your result has values outside [0, 1]: clamp it."
NOT_SIGNED = "Your step is proportional to the gradient: take the gradient's sign, so that every value moves equally."
ONE_SOURCE = "You draw from the global random generator: draw from the generator that you are given."
