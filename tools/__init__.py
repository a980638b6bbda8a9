"""What keeps the repository true: generated documentation, pictures."""
