from .export import path_to_csv as path_to_csv, path_to_json as path_to_json
from .geodesic import (
    AROUND as AROUND,
    NEIGHBOURS as NEIGHBOURS,
    WHOLE as WHOLE,
    NeighbourGraph as NeighbourGraph,
    neighbour_graph as neighbour_graph,
)
from .kinds import FEWEST_STOPS as FEWEST_STOPS, MOST_STOPS as MOST_STOPS, PathKind as PathKind
from .path import Frame as Frame, LatentPath as LatentPath, Stop as Stop, lay_path as lay_path
from .scores import PathScores as PathScores, path_scores as path_scores, score_titles as score_titles
