"""One run of one procedure, or a study of several: from a setup to results."""
