"""Drummer profiles: the performer adapted to one player by a few takes, as a folder beside the model, which stays as it is.

Example:
    >>> from backbeat.profiles import load_profile
    >>> performer = load_profile("me")  # doctest: +SKIP
"""

from backbeat.profiles.leaning import LeaningDrummer, open_drummer
from backbeat.profiles.learning import MOST_TAKES, Ear, Manner, Result, compare, count_folds, cross_validate, learn_manner
from backbeat.profiles.profile import ProfiledPerformer, check_profile_folder, load_profile, write_profile
from backbeat.profiles.takes import Take, make_take
from backbeat.profiles.vocabulary import VocabularyEar

__all__ = [
    "MOST_TAKES",
    "Ear",
    "LeaningDrummer",
    "Manner",
    "ProfiledPerformer",
    "Result",
    "Take",
    "VocabularyEar",
    "check_profile_folder",
    "compare",
    "count_folds",
    "cross_validate",
    "learn_manner",
    "load_profile",
    "make_take",
    "open_drummer",
    "write_profile",
]
