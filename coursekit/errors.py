"""The one error that a command prints as a line of text instead of a traceback."""


class UsageError(Exception):
    """Something that the person at the keyboard can mend: says what is wrong, the value, and what to do."""


class CheckEnded(Exception):
    """A check that could not go on: not an answer of the student's, but the end of what was asked."""

    def __init__(self, message: str, outcome: str) -> None:
        super().__init__(message)
        self.outcome = outcome  # as in a verdict: crashed or timeout
