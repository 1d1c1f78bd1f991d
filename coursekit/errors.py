"""The one error that a command prints as a line of text instead of a traceback."""


class UsageError(Exception):
    """Something that the person at the keyboard can mend: says what is wrong, the value, and what to do."""
