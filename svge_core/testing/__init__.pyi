from .methods import SearcherContract as SearcherContract
from .spaces import SearchSpaceContract as SearchSpaceContract
