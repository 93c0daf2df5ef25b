"""`dalsegno.sonora` by the name that programs know."""

from dalsegno.sonora import *

__version__ = "0.1.0"
