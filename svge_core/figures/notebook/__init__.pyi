from .views import CellView as CellView, MapView as MapView, PathView as PathView
