"""A track."""

from dalsegno.sonora.track import *
