from .architectures import many_cells as many_cells, one_cell as one_cell
from .values import (
    file_name as file_name,
    one_of as one_of,
    real_number as real_number,
    seed as seed,
    whole_number as whole_number,
    yes_or_no as yes_or_no,
)
