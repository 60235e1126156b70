"""One handoff as a sequence diagram."""
