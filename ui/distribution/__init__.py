"""The Distribution page in parts."""
