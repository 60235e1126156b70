"""Measurements: ``pytest bench --benchmark-enable``, ``python -m bench.compare``, ``python -m bench.many``."""
