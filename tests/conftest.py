"""Loads the course's pytest plugin, so that plain `pytest tests/saliency` works."""

pytest_plugins = ["coursekit.grading.plugin"]
