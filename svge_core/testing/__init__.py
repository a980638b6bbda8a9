"""The contracts as test suites: subclass one for your own space or method."""
