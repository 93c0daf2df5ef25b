"""The queue of a player."""

from dalsegno.sonora.queue import *
