"""What plays when nothing is left in the queue."""

from dalsegno.sonora.autoplay import *
