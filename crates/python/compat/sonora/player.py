"""A player of a guild."""

from dalsegno.sonora.player import *
