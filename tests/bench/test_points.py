"""The measurement of points runs, and all executors agree before it tells a time; no figure is judged here."""

from bench import points


def test_overheads_are_those_of_the_same_outcomes():
    pool, dask = points.overhead(12, 2)
    assert (pool.beside, dask.beside) == ("local pool", "Dask, local cluster")
    assert all(row.figures["seconds"] > 0 and row.figures["in_process_seconds"] > 0 for row in (pool, dask))
