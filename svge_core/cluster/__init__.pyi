from .connection import connected as connected, ray_address as ray_address
from .evaluations import Needs as Needs, RayEvaluations as RayEvaluations, evaluations_on_ray as evaluations_on_ray
