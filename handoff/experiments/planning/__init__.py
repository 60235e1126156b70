"""Capacity planning: the value of a field up to which all targets are met, with a confidence interval."""
