from .atomic import cache_dir as cache_dir, keep_arrays as keep_arrays, write_atomically as write_atomically
from .columns import read_columns as read_columns, write_columns as write_columns
from .quantisation import STEPS as STEPS, quantised as quantised, restored as restored
from .tensors import read_arrays as read_arrays, read_tensors as read_tensors
