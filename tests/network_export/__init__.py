"""Networks written as files."""
