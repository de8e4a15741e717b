r"""The regular expressions of the cluster query language, in time linear in the text.

AWS says "Java pattern syntax". What people write is read: characters, `.`, classes with ranges and
negation, `\d \w \s \p{Alpha}` and their negations, groups, alternation, `* + ? {m,n}`, `^ $` at the
ends, and `(?i)` at the beginning. Lazy and possessive marks are skipped; what would need
backtracking (back-references, look-around) is refused. The automaton is walked with a set of states, so that no pattern is catastrophic.
"""

from collections.abc import Callable

from moorage.ground.record import Record

PATTERN_LENGTH_MAX = 256
STATES_MAX = 512
# Steps from one state to another: a match looks at no more for each character of a value.
EDGES_MAX = 16_384
MOVES_MAX = 4096
ATOMS_MAX = 4096
REPEATS_MAX = 256
DEPTH_MAX = 32

_Test = Callable[[str], bool]
_Move = tuple[frozenset[int], bool]
_FOLDING = "(?i)"
_SPACES = frozenset(" \t\n\r\f\v")


def _negated(test: _Test) -> _Test:
    return lambda c: not test(c)


_PLAIN_CLASSES: dict[str, _Test] = {
    "d": lambda c: c in "0123456789",
    "w": lambda c: c == "_" or (c.isascii() and c.isalnum()),
    "s": lambda c: c in _SPACES,
}
_CLASSES = _PLAIN_CLASSES | {name.upper(): _negated(test) for name, test in _PLAIN_CLASSES.items()}
# Java's POSIX classes, and the categories that people write, for what stands in `\p{...}`.
_NAMED_CLASSES: dict[str, _Test] = {
    "Lower": lambda c: c.isascii() and c.islower(),
    "Upper": lambda c: c.isascii() and c.isupper(),
    "Alpha": lambda c: c.isascii() and c.isalpha(),
    "Digit": lambda c: c in "0123456789",
    "Alnum": lambda c: c.isascii() and c.isalnum(),
    "Punct": lambda c: c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "Space": lambda c: c in _SPACES,
    "XDigit": lambda c: c in "0123456789abcdefABCDEF",
    "ASCII": str.isascii,
    "L": str.isalpha,
    "Lu": str.isupper,
    "Ll": str.islower,
    "N": str.isnumeric,
    "Nd": str.isdecimal,
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class BadPattern(Record):
    """Why a text is no pattern that is read here."""

    message: str


class _Refused(Exception):  # noqa: N818 - never leaves this module
    pass


class Pattern:
    """A compiled pattern: an automaton whose states each test one character."""

    __slots__ = ("_accepts", "_empty", "_moves", "_starts", "_steps")

    def __init__(self, text: str) -> None:
        """Compile; use `compile_pattern`, which answers a BadPattern instead of raising."""
        fragment = _Reader(text).whole()
        self._starts = fragment.first
        self._accepts = fragment.last
        self._empty = fragment.empty
        self._steps = fragment.steps
        # What follows a set of states by a character, as far as it was found out: of many hosts the
        # values are much alike.
        self._moves: dict[tuple[frozenset[int], str], _Move] = {}

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        if not text:
            return self._empty
        states, accepted = self._starts, False
        for character in text:
            states, accepted = self._moves.get((states, character)) or self._move(states, character)
        return accepted

    def _move(self, states: frozenset[int], character: str) -> "_Move":
        """The states that follow, and whether the text might end here."""
        here = {state for state in states if self._steps[state].test(character)}
        after = frozenset[int]().union(*(self._steps[state].follow for state in here))
        move = (after, not here.isdisjoint(self._accepts))
        if len(self._moves) >= MOVES_MAX:
            self._moves.clear()
        self._moves[states, character] = move
        return move


class _Step:
    """One state: which character it takes, and which states may follow."""

    __slots__ = ("follow", "test")

    def __init__(self, test: _Test) -> None:
        self.test = test
        self.follow: set[int] = set()


class _Fragment:
    """A part of the automaton (Glushkov's): its first and last states, and if it takes nothing."""

    __slots__ = ("empty", "first", "last", "steps")

    def __init__(
        self, steps: list[_Step], first: frozenset[int], last: frozenset[int], *, empty: bool
    ) -> None:
        self.steps = steps
        self.first = first
        self.last = last
        self.empty = empty


class _Reader:
    """Reads a pattern by recursive descent and builds the automaton on the way."""

    def __init__(self, text: str) -> None:
        self.folds = text.startswith(_FOLDING)
        self.text = text.removeprefix(_FOLDING)
        self.at = 0
        self.depth = 0
        self.atoms = 0
        self.steps: list[_Step] = []

    def whole(self) -> _Fragment:
        fragment = self.alternatives()
        if self.at < len(self.text):
            raise _Refused("unbalanced )")
        if sum(len(step.follow) for step in self.steps) > EDGES_MAX:
            raise _Refused("too large")
        return fragment

    def alternatives(self) -> _Fragment:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise _Refused("too deeply nested")
        fragment = self.sequence()
        while self.peek() == "|":
            self.at += 1
            other = self.sequence()
            fragment = self.joined(
                fragment.first | other.first,
                fragment.last | other.last,
                empty=fragment.empty or other.empty,
            )
        self.depth -= 1
        return fragment

    def sequence(self) -> _Fragment:
        fragment = self.nothing()
        while self.peek() not in {"", "|", ")"}:
            fragment = self.after(fragment, self.repeated())
        return fragment

    def repeated(self) -> _Fragment:
        start = self.at
        fragment = self.atom()
        bounds = self.bounds()
        if bounds is None:
            return fragment
        end = self.at
        fragment = self.times(fragment, start, bounds)
        self.at = end
        return fragment

    def bounds(self) -> tuple[int, int | None] | None:
        """The repetition mark that stands here, if any; lazy and possessive marks are skipped."""
        marks: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        sign = self.peek()
        if sign in marks:
            self.at += 1
            found = marks[sign]
        elif sign == "{":
            found = self.counted()
        else:
            return None
        if self.peek() in {"?", "+"}:
            self.at += 1
        return found

    def counted(self) -> tuple[int, int | None]:
        close = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : max(close, 0)].partition(",")
        sound = (
            low.isascii() and low.isdigit() and (not high or (high.isascii() and high.isdigit()))
        )
        if close < 0 or not sound or len(low) > 4 or len(high) > 4:  # noqa: PLR2004 - digits
            raise _Refused("bad repetition")
        self.at = close + 1
        least = int(low)
        most = int(high) if high else None if comma else least
        if least > REPEATS_MAX or (most is not None and not least <= most <= REPEATS_MAX):
            raise _Refused("bad repetition")
        return least, most

    def times(self, once: _Fragment, start: int, bounds: tuple[int, int | None]) -> _Fragment:
        """A fragment repeated; further copies are read again from where it began."""
        least, most = bounds
        if most == 0:
            return self.nothing()
        copies = [once]
        for _ in range(max(least, most or 1, 1) - 1):
            self.at = start
            copies.append(self.atom())
        if most is None:
            self.loop(copies[-1])
        fragment = self.nothing()
        for index, copy in enumerate(copies):
            optional = copy.empty or index >= least
            part = self.joined(copy.first, copy.last, empty=optional)
            fragment = self.after(fragment, part)
        return fragment

    def loop(self, fragment: _Fragment) -> None:
        for state in fragment.last:
            self.steps[state].follow |= fragment.first

    def atom(self) -> _Fragment:
        self.atoms += 1
        if self.atoms > ATOMS_MAX:
            raise _Refused("too large")
        sign = self.peek()
        self.at += 1
        if sign == "(":
            return self.group()
        if sign == "[":
            return self.single(self.character_class())
        if sign == ".":
            return self.single(lambda c: c != "\n")
        if sign == "\\":
            return self.single(self.folded(self.escaped()))
        if sign in {"*", "+", "?", "{"}:
            raise _Refused("nothing to repeat")
        if (sign == "^" and self.at == 1) or (sign == "$" and self.at == len(self.text)):
            return self.nothing()
        if sign in {"^", "$"}:
            raise _Refused("^ and $ are read at the ends of a pattern only")
        return self.single(self.folded(lambda c: c == sign))

    def group(self) -> _Fragment:
        if self.text.startswith("?:", self.at):
            self.at += 2
        elif self.peek() == "?":
            raise _Refused("look-around and named groups are not read")
        fragment = self.alternatives()
        if self.peek() != ")":
            raise _Refused("missing )")
        self.at += 1
        return fragment

    def escaped(self) -> _Test:
        sign = self.peek()
        self.at += 1
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign in {"p", "P"}:
            named = self.named()
            return named if sign == "p" else _negated(named)
        if not sign or (sign.isalnum() and sign not in _CONTROLS):
            raise _Refused("unknown escape")
        meant = _CONTROLS.get(sign, sign)
        return lambda c: c == meant

    def named(self) -> _Test:
        """The class whose name stands here in braces, or as a single letter."""
        close = self.text.find("}", self.at) if self.peek() == "{" else self.at
        name = self.text[self.at : close + 1].strip("{}") if close >= 0 else ""
        if name not in _NAMED_CLASSES:
            raise _Refused("unknown class")
        self.at = close + 1
        return _NAMED_CLASSES[name]

    def character_class(self) -> _Test:
        negated = self.peek() == "^"
        self.at += negated
        tests: list[_Test] = []
        while self.peek() != "]" or not tests:
            tests.append(self.folded(self.class_member()))
        self.at += 1
        return lambda c: any(test(c) for test in tests) != negated

    def class_member(self) -> _Test:
        sign = self.peek()
        if not sign:
            raise _Refused("missing ]")
        self.at += 1
        if sign == "\\":
            return self.escaped()
        if sign == "[" or self.text.startswith("&&", self.at - 1):
            raise _Refused("classes within classes are not read")
        if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in {"", "]"}:
            last = self.text[self.at + 1]
            self.at += 2
            if last == "\\" or last < sign:
                raise _Refused("bad range")
            return lambda c: sign <= c <= last
        return lambda c: c == sign

    def folded(self, test: _Test) -> _Test:
        """The same test, blind to case where the pattern begins so."""
        if not self.folds:
            return test
        return lambda c: test(c) or test(c.lower()) or test(c.upper())

    def single(self, test: _Test) -> _Fragment:
        if len(self.steps) >= STATES_MAX:
            raise _Refused("too large")
        self.steps.append(_Step(test))
        alone = frozenset({len(self.steps) - 1})
        return self.joined(alone, alone, empty=False)

    def nothing(self) -> _Fragment:
        return self.joined(frozenset(), frozenset(), empty=True)

    def after(self, before: _Fragment, then: _Fragment) -> _Fragment:
        for state in before.last:
            self.steps[state].follow |= then.first
        return self.joined(
            before.first | then.first if before.empty else before.first,
            before.last | then.last if then.empty else then.last,
            empty=before.empty and then.empty,
        )

    def joined(self, first: frozenset[int], last: frozenset[int], *, empty: bool) -> _Fragment:
        return _Fragment(self.steps, first, last, empty=empty)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]


def compile_pattern(text: str) -> Pattern | BadPattern:
    """The pattern that a text is, or why it is none; never raises."""
    if len(text) > PATTERN_LENGTH_MAX:
        return BadPattern(message=f"a pattern has at most {PATTERN_LENGTH_MAX} characters")
    try:
        return Pattern(text)
    except _Refused as refused:
        return BadPattern(message=str(refused))
