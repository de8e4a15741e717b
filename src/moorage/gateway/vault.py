"""The vault: seals secrets that must be recovered with the master key in the data folder."""

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from moorage.ground.chance import Chance

MASTER_KEY_BYTES = 32
_NONCE_BYTES = 12


class AesVault:
    """AES-256-GCM with a random nonce for each secret (NIST SP 800-38D)."""

    def __init__(self, master_key: bytes, chance: Chance) -> None:
        """Take the master key, 32 bytes."""
        assert len(master_key) == MASTER_KEY_BYTES, "the master key has another length"
        self._cipher = AESGCM(master_key)
        self._chance = chance

    def seal(self, secret: str) -> str:
        """An encrypted text that only this key opens."""
        nonce = self._chance.octets(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), None)).decode()

    def reveal(self, sealed: str) -> str:
        """The secret; asserts where the text was sealed with another key, or was touched."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
        except InvalidTag as error:
            raise AssertionError("keys/master does not open what this database holds") from error
