"""Loads the course's pytest plugin, and puts this folder on the path, so that plain `pytest tests/test_saliency.py` works."""

pytest_plugins = ["coursekit.grading.plugin"]
