"""Declarations of the subcommands: arguments, options and help texts, one module per command."""
