from .trainer import StackedTrainer as StackedTrainer
