"""What visitors of a shared server may do."""
