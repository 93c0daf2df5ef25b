"""What is done to a player's sound."""

from dalsegno.sonora.filters import *
