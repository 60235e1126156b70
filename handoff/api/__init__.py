"""Python interface: scenarios, studies, sweeps, plans and diagrams as objects with tables. Use it through ``import handoff``."""
