"""Loads the course's pytest plugin, so that plain `pytest tests/test_saliency.py` works."""

pytest_plugins = ["coursekit.grading.plugin"]
