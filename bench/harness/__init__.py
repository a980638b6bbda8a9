"""What several benchmarks share: stored results, protocols of whole runs, rivals side by side."""
