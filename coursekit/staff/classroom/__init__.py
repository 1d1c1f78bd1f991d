"""`a2 classroom`: grade a folder of zips that may hold anything. run.py is the way through; job.py is what a worker does."""
