"""Benchmark of executors: it runs, and the executors agree before a time is reported. No time is judged here."""

from bench import points


def test_an_overhead_is_that_of_the_same_outcomes():
    row = next(points.overhead(12, 2))  # the pool; Dask comes next, and takes seconds to begin
    assert row.beside == "local pool"
    assert row.figures["seconds"] > 0
    assert row.figures["in_process_seconds"] > 0
