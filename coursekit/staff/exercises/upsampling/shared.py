"""Hints that several exercises of upsampling have in common."""

DETACHED = "Your result is detached: gradients must pass back to the input."
