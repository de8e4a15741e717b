"""Hashes whose state can be saved: an upload that was cut goes on without reading itself again.

hashlib cannot export the state of a hash, so SHA-2 is called in libcrypto (which hashlib uses as
well, at the same speed) through ctypes, which lets other threads run meanwhile. The state is the
plain C struct SHA256_CTX or SHA512_CTX of <openssl/sha.h>; it is only ever read back by the machine
that wrote it. Where libcrypto cannot be loaded, or does not pass a check made at import, hashlib
takes its place: then `state` is empty, and an upload is read again after a restart.
"""

import ctypes
import hashlib
from typing import Protocol, Self

from moorage.blob.store import Octets

ALGORITHMS = ("sha256", "sha512")
# By name only: ctypes.util.find_library would start a compiler or ldconfig. Newest first.
LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so")
# sizeof(SHA256_CTX), sizeof(SHA512_CTX); digest sizes in bytes.
_STATE_BYTES = {"sha256": 112, "sha512": 216}
_DIGEST_BYTES = {"sha256": 32, "sha512": 64}


class Hasher(Protocol):
    """A running hash."""

    @property
    def algorithm(self) -> str:
        """One of ALGORITHMS."""
        ...

    def update(self, octets: Octets) -> None:
        """Take more bytes in; other threads run while a large buffer is hashed."""
        ...

    def copy(self) -> Self:
        """A second hash that begins where this one is."""
        ...

    def hexdigest(self) -> str:
        """The digest of what was taken in so far; the hash may go on."""
        ...

    def state(self) -> bytes:
        """What `resume` needs to go on from here; empty where it cannot be had."""
        ...


class HashlibHasher:
    """A hash by hashlib, whose state cannot leave the process."""

    def __init__(self, algorithm: str) -> None:
        """Begin with no bytes."""
        self.algorithm = algorithm
        self._hash = hashlib.new(algorithm)

    def update(self, octets: Octets) -> None:
        """Take more bytes in."""
        self._hash.update(octets)

    def copy(self) -> Self:
        """A second hash that begins where this one is."""
        twin = type(self)(self.algorithm)
        twin._hash = self._hash.copy()  # noqa: SLF001 - a twin's own member
        return twin

    def hexdigest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()

    def state(self) -> bytes:
        """Nothing: it cannot be had."""
        return b""


class Sha2:
    """One algorithm's three functions in a loaded library; AttributeError where it lacks them."""

    def __init__(self, library: ctypes.CDLL, algorithm: str) -> None:
        """Look the functions up and declare their types."""
        self.algorithm = algorithm
        self.init = library[f"{algorithm.upper()}_Init"]
        self.update = library[f"{algorithm.upper()}_Update"]
        self.final = library[f"{algorithm.upper()}_Final"]
        pointer = ctypes.c_void_p
        self.init.argtypes = (pointer,)
        self.update.argtypes = (pointer, pointer, ctypes.c_size_t)
        self.final.argtypes = (pointer, pointer)


class LibcryptoHasher:
    """A hash by libcrypto, whose state is a plain struct."""

    def __init__(self, functions: Sha2, state: bytes = b"") -> None:
        """Begin with no bytes, or where `state` was saved."""
        self._functions = functions
        self._context = ctypes.create_string_buffer(state, _STATE_BYTES[self.algorithm])
        if not state:
            functions.init(self._context)

    @property
    def algorithm(self) -> str:
        """One of ALGORITHMS."""
        return self._functions.algorithm

    def update(self, octets: Octets) -> None:
        """Take more bytes in; ctypes lets other threads run meanwhile."""
        if isinstance(octets, memoryview) and octets.readonly:
            octets = _as_bytes(octets)
        if isinstance(octets, bytes):
            self._functions.update(self._context, octets, len(octets))
        elif size := memoryview(octets).nbytes:
            first = ctypes.c_char.from_buffer(octets)
            self._functions.update(self._context, ctypes.addressof(first), size)

    def copy(self) -> Self:
        """A second hash that begins where this one is."""
        return type(self)(self._functions, self.state())

    def hexdigest(self) -> str:
        """The digest so far, finished on a copy of the state."""
        digest = ctypes.create_string_buffer(_DIGEST_BYTES[self.algorithm])
        context = ctypes.create_string_buffer(self.state(), _STATE_BYTES[self.algorithm])
        self._functions.final(digest, context)
        return digest.raw.hex()

    def state(self) -> bytes:
        """The struct."""
        return self._context.raw


def _as_bytes(view: memoryview) -> bytes:
    """A read-only view's bytes: ctypes takes no address from one. Copied only if they are a part."""
    whole = view.obj
    if isinstance(whole, bytes) and len(whole) == view.nbytes and view.c_contiguous:
        return whole
    return view.tobytes()


def load(names: tuple[str, ...] = LIBRARIES) -> dict[str, Sha2]:
    """The algorithms of the first library that loads and keeps its promises; empty where none."""
    for name in names:
        try:
            library = ctypes.CDLL(name)
            found = {algorithm: Sha2(library, algorithm) for algorithm in ALGORITHMS}
        except (OSError, AttributeError):
            continue
        if all(_keeps_promises(functions) for functions in found.values()):
            return found
    return {}


def _keeps_promises(functions: Sha2) -> bool:
    """Whether a hash that was cut, saved and resumed is what hashlib says: the struct is ours."""
    text = bytes(range(256)) * 3
    cut = 300
    head = LibcryptoHasher(functions)
    head.update(text[:cut])
    tail = LibcryptoHasher(functions, head.state())
    tail.update(text[cut:])
    return tail.hexdigest() == hashlib.new(functions.algorithm, text).hexdigest()


class Hashes:
    """Where hashes come from: libcrypto's functions, or hashlib for what they do not have."""

    def __init__(self, functions: dict[str, Sha2]) -> None:
        """Take what `load` found; an empty table is hashlib alone."""
        self._functions = functions

    def begin(self, algorithm: str) -> Hasher:
        """A hash of no bytes yet, by one of ALGORITHMS."""
        assert algorithm in ALGORITHMS, f"no such digest algorithm: {algorithm}"
        functions = self._functions.get(algorithm)
        return HashlibHasher(algorithm) if functions is None else LibcryptoHasher(functions)

    def resume(self, algorithm: str, state: bytes) -> Hasher | None:
        """The hash that goes on from `state`, or None where it cannot: then read again."""
        functions = self._functions.get(algorithm)
        if functions is None or len(state) != _STATE_BYTES[algorithm]:
            return None
        return LibcryptoHasher(functions, state)


HASHES = Hashes(load())
