"""The keyboard over all pages: into lists that open, out of them, and back to where it was."""
