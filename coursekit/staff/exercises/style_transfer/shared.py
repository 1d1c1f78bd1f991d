"""Hints that several exercises of style_transfer have in common."""

CONSTANT = "What the features are compared with gets a slope from you as well: it is given, and nothing may move it."
NO_SLOPE = "The value is right, but nothing can descend on it: the way back to the features is cut."
FRESH = "You make a new tensor out of a finished number: switching its gradient on does not tell it where it came from."
ONE_ENTRY = "A loss is a single number without any axis; yours still has one."
STILL_JOINED = "The pictures are right, but they drag the whole computation behind them: cut it off."
