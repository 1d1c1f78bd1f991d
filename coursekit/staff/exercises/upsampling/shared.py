"""Hints that several exercises of upsampling have in common."""

DETACHED = "A decoder behind your function could not learn: is there still a way back?"
