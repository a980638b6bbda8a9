from .distances import follows as follows
from .prediction import predict_from as predict_from
from .reconstruction import MOST as MOST, Headline as Headline, headline as headline, reconstructs as reconstructs
from .sentence import Sentence as Sentence
from .whole import verdict as verdict, verdict_of as verdict_of
