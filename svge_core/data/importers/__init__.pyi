from .cache import (
    list_imported as list_imported,
    load_imported as load_imported,
    remove_imported as remove_imported,
    save_table as save_table,
)
from .detection import KINDS as KINDS, detect as detect
from .hpo_bench import load_hpo_bench as load_hpo_bench
from .join import (
    imported_labels as imported_labels,
    with_imported as with_imported,
    with_shipped as with_shipped,
)
from .run import Imported as Imported, import_file as import_file, read_table as read_table
from .table import Columns as Columns, ImportedTable as ImportedTable
from .tfrecord import crc32c as crc32c, mask_checksum as mask_checksum
