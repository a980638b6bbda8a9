"""The command line: one file per group of commands; see ``python -m svge_core --help``."""
