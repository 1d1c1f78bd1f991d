"""What you complete: one module for each topic of the lecture."""
