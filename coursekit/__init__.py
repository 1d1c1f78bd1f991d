"""The machinery of the course: given code for notebooks (vision), what checks are written with (checks), the autograder (grading), and the staff's tools (staff)."""

__version__ = "1.0.0"
