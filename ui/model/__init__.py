"""The Model page in parts."""
