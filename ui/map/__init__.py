"""The Map page in parts."""
