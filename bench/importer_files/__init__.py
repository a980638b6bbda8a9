"""Small valid files in the format of every importer, and slow readers of them that share no code with the importers."""

from bench.importer_files.enas import FORMATS as _ENAS
from bench.importer_files.nasbench101 import FORMATS as _NASBENCH101
from bench.importer_files.nasbench201 import FORMATS as _NASBENCH201
from bench.importer_files.shared import Format as Format, Values as Values

FORMATS: dict[str, Format] = {**_NASBENCH101, **_NASBENCH201, **_ENAS}
