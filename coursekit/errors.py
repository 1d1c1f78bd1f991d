"""The one error that a command prints as a line of text instead of a traceback."""


class UsageError(Exception):
    """Something that the person at the keyboard can fix: says what is wrong, the value, and what to do."""


class GraderFailed(UsageError):
    """Grading broke for no fault that the submission is known to have: nobody has lost a point, and it may be tried again."""


class CheckEnded(Exception):
    """A check that could not go on: not an answer of the student's, but the end of what was asked."""

    def __init__(self, message: str, outcome: str) -> None:
        super().__init__(message)
        self.outcome = outcome  # as in a verdict: crashed, timeout or not graded
