"""Official benchmark files, read without TensorFlow and without running anything they contain, into a compact cache."""
