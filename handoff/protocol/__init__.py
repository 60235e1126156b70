"""The one machine that runs every procedure: a program made from a row, agents at nodes, mobile nodes at the fleet."""
