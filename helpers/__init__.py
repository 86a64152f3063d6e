"""Helpers of the video search notebooks: everything that a notebook imports, in one place.

The names stand in __init__.pyi, in the order of the data's way; each is loaded when it is first used, so that
`from helpers import load_settings` brings neither scikit-learn nor the SDK.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
