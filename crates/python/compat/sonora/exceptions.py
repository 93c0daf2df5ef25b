"""What can go wrong."""

from dalsegno.sonora.errors import *
