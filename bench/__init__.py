"""Benchmarks, each beside a floor written in the simplest possible code: `make bench`, `python -m bench drain`."""
