"""Property tests are judged by what they find, never by how long they took: the machine may be busy."""

from hypothesis import settings

settings.register_profile("sojourn", deadline=None)
settings.load_profile("sojourn")
