"""The Interpolate page in parts."""
