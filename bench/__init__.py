"""Benchmarks: `make bench`, or `python -m svge_core bench NAME`. Results lie in `bench/results/`."""
