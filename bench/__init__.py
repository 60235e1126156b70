"""Benchmarks: ``uv run pytest bench --benchmark-enable`` and ``uv run bench/compare.py``, ``growth.py``, ``soak.py``."""
