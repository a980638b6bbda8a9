"""The Results page in parts."""
