"""`a2 gradescope OUT.zip`: bundle.py packs the autograder, autograde.py is what runs there, results.schema.json is what it writes."""
