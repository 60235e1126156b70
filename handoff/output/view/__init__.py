"""Pages of ``handoff view`` beside the report: lists of handoffs, and one handoff with its figures and its ladder."""
