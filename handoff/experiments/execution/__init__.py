"""Execution of many runs: tasks, the executors that run them, and the results that come back."""
