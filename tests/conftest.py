"""What every test shares.  Hypothesis draws the same examples on every machine, so a red build can be made again."""

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("ci")
