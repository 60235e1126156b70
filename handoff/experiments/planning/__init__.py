"""How much an agent or a link can carry: the value of a field up to which targets are met, with an interval."""
