"""What happens to players and snapshots."""

from dalsegno.sonora.events import *
