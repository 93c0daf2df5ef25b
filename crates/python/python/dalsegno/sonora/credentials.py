"""Texts that only the key of the program opens."""

from __future__ import annotations

from typing import final

from .._dalsegno import sonora_decrypt, sonora_encrypt
from .snapshot import StrPath

__all__ = ["CredentialManager", "credential_manager"]


@final
class CredentialManager:
    """Texts of any size, sealed with a key that is kept in a file. Its calls block, and are safe in threads and forks.

    The key is made when a text is first encrypted, for its owner only, and git is told to leave a folder out that is made for
    it. Whoever loses it has lost what it sealed: keep a copy of it where the sealed texts are not.
    """

    def __init__(self, key_path: StrPath = ".sonora_credentials/key") -> None:
        self.key_path: StrPath = key_path
        """The key's file: an age identity, as `age-keygen` writes it. Of several, the first one seals, and each opens."""

    def encrypt_credential(self, text: str) -> str:
        """Seals a text. What it answers is an age file in armor, lines of ASCII, which `age --decrypt` opens, too."""
        return sonora_encrypt(self.key_path, text)

    def decrypt_credential(self, text: str) -> str:
        """Opens what `encrypt_credential` gave.

        Raises `SecurityError`: a `WrongKeyError` where the key is missing or another one (it is not made anew), a
        `DamagedError` where the text was changed, or is none that was sealed.
        """
        return sonora_decrypt(self.key_path, text)

    def __repr__(self) -> str:
        return f"CredentialManager({str(self.key_path)!r})"


credential_manager = CredentialManager()
"""The one of the program, with its key in `.sonora_credentials` in the working directory."""
