"""Structures and inline functions of the compiled engine. Everything here works on plain C structs and needs no Python object."""
