"""``handoff view``: a server on this machine that shows a folder of results in the browser."""
