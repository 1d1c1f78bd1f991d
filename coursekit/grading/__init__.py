"""The autograder: the same plain pytest checks for a student at the keyboard and for the staff."""
