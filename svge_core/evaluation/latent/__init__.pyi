from .file import Quality as Quality, QualityConfig as QualityConfig, load as load, save as save
from .run import measure as measure
from .wording import Reading as Reading, neighbours as neighbours, readings as readings, signed as signed
