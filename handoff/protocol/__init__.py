"""Mobile IP: procedures compiled to programs, agents at nodes, mobile nodes, their binding caches, visitor lists and messages."""
