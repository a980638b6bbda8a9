"""What tests of several folders share: places, drivers, oracles, made-up checkpoints."""
