"""The Search page in parts."""
