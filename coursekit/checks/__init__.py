"""What checks are written with: comparisons, laws that every function obeys, small networks, and what was stored of the solution."""
