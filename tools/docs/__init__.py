"""Keeps the generated parts of the documentation true."""
