from .cache import list_imported as list_imported, load_imported as load_imported, remove_imported as remove_imported
from .detection import KINDS as KINDS, detect as detect
from .hpo_bench import load_hpo_bench as load_hpo_bench
from .join import imported_labels as imported_labels, with_imported as with_imported
from .run import Imported as Imported, import_file as import_file, read_table as read_table
from .tfrecord import crc32c as crc32c, mask_checksum as mask_checksum
