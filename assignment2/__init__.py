"""The modules that you complete, one for each topic of the lecture."""
