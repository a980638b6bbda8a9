from .config import (
    DEFAULTS as DEFAULTS,
    PUBLISHED as PUBLISHED,
    ModelConfig as ModelConfig,
    read_config as read_config,
    with_added_fields as with_added_fields,
)
from .encoding import ENCODE_CHUNK as ENCODE_CHUNK, encode_all as encode_all
from .head import HeadConfig as HeadConfig, JointModel as JointModel, fit_joint as fit_joint
from .likelihood import negative_log_likelihood as negative_log_likelihood
from .options import DecodeDirection as DecodeDirection, DecodeOptions as DecodeOptions
from .registry import MODELS as MODELS, build_model as build_model
from .svge import SVGe as SVGe
from .vae import GraphVAE as GraphVAE
