"""The Compare page in parts."""
