"""Snapshots, and files of them."""

from dalsegno.sonora.manager import *
from dalsegno.sonora.snapshot import *
