"""A bot's nodes and players."""

from dalsegno.sonora.client import *
