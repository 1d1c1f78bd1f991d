"""Hints that several exercises of robustness have in common."""

WEAKER = "Compare the settings that you use with the table: severity 1 is the first."
SHARED = "Put the same picture into a batch twice: it should not come out twice alike."
GREY = "Look at the colours: are the three channels hit together?"
CLAMP = "Look at the smallest and the largest value: is it still a picture?"
SOURCE = "Random numbers come from one source only, the one that is handed to you."
CALLERS = "Compare the pictures that you were given before and after the call."
BORDER = "Look at the outermost pixels of a plain picture."
