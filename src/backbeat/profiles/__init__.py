"""Drummer profiles: the performer adapted to one player by a few takes, as a folder beside the model, which stays as it is.

Example:
    >>> from backbeat.profiles import load_profile
    >>> performer = load_profile("me")  # doctest: +SKIP
"""

from backbeat.profiles.learning import MOST_TAKES, Manner, Result, Take, compare, count_folds, cross_validate, learn_manner, make_take
from backbeat.profiles.profile import ProfiledPerformer, check_profile_folder, load_profile, write_profile

__all__ = [
    "MOST_TAKES",
    "Manner",
    "ProfiledPerformer",
    "Result",
    "Take",
    "check_profile_folder",
    "compare",
    "count_folds",
    "cross_validate",
    "learn_manner",
    "load_profile",
    "make_take",
    "write_profile",
]
