"""What a simulated packet is on the wire, and captures of it (docs/export.md)."""
