"""One run of one procedure."""
