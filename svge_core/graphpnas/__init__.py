"""GraphPNAS (Li et al. 2022): a learned distribution of good architectures, refitted to the best that were found."""
