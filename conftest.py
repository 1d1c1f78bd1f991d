"""Loads the course's pytest plugin: points, the fixture `expect`, hints for recognised mistakes."""

pytest_plugins = ["coursekit.grading.plugin"]
