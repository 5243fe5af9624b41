"""Where the boxes and lines of a drawing go: layers from top to bottom, as Sugiyama, Tagawa and Toda (1981) lay them.

Lines that lead back are laid as if they led onward. Every line has a place of its own in each layer that it passes, and
in the space between layers, where what is written on it stands: so neither boxes nor words ever overlap. The same
input is laid out the same.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

BOX_HEIGHT, BETWEEN, GAP, MARGIN = 46.0, 62.0, 22.0, 20.0
_LINE = 6.0  # the room that a line without words takes
_SWEEPS = 12

Point = tuple[float, float]
# A box, or the place of a line (its number) in a rank. Boxes have even ranks; the odd ones lie between layers.
_Place = str | tuple[int, int]


@dataclass(frozen=True)
class Line:
    """A line from one box to another; `width` is the room that the words on it take, in pixels, 0 for none."""

    source: str
    target: str
    width: float = 0.0


@dataclass(frozen=True)
class Layout:
    """Middles of boxes; for each line the points that it passes, and where its words stand; and how large it all is."""

    boxes: Mapping[str, Point]
    routes: Sequence[Sequence[Point]]
    words: Sequence[Point]
    width: float
    height: float


def laid_out(boxes: Mapping[str, float], lines: Sequence[Line]) -> Layout:
    """Lays out boxes, given by name and width in pixels, and lines between two different of them."""
    return _Laying(boxes, lines).done()


@dataclass
class _Laying:
    boxes: Mapping[str, float]
    lines: Sequence[Line]
    ranks: list[list[_Place]] = field(default_factory=list)
    above: dict[_Place, list[_Place]] = field(default_factory=dict)
    below: dict[_Place, list[_Place]] = field(default_factory=dict)
    x: dict[_Place, float] = field(default_factory=dict)

    def done(self) -> Layout:
        order, back = _walked(self.boxes, self.lines)
        layer = _layers(order, self.lines, back)
        chains = [self._chain(number, layer, number in back) for number in range(len(self.lines))]
        self._rank(order, layer, chains)
        self._sort()
        self._settle()
        left = min((self.x[one] - self._width(one) / 2 for rank in self.ranks for one in rank), default=0.0)
        self.x = {one: x - left + MARGIN for one, x in self.x.items()}
        right = max((self.x[one] + self._width(one) / 2 for rank in self.ranks for one in rank), default=0.0)
        height = 2 * MARGIN + BOX_HEIGHT + max(layer.values(), default=0) * (BOX_HEIGHT + BETWEEN)
        places = {box: (self.x[box], _y(2 * layer[box])) for box in self.boxes}
        routes = [self._route(chain, layer, number in back) for number, chain in enumerate(chains)]
        words = [self._words(chain, number in back) for number, chain in enumerate(chains)]
        return Layout(places, routes, words, right + MARGIN, height)

    def _chain(self, number: int, layer: Mapping[str, int], is_back: bool) -> list[_Place]:
        """All that a line passes, from top to bottom."""
        line = self.lines[number]
        top, bottom = (line.target, line.source) if is_back else (line.source, line.target)
        between = range(2 * layer[top] + 1, 2 * layer[bottom])
        return [top, *((number, rank) for rank in between), bottom]

    def _rank(self, order: Sequence[str], layer: Mapping[str, int], chains: Sequence[Sequence[_Place]]) -> None:
        self.ranks = [[] for _ in range(2 * max(layer.values(), default=0) + 1)]
        self.above = {box: [] for box in order}
        self.below = {box: [] for box in order}
        for box in order:
            self.ranks[2 * layer[box]].append(box)
        for chain in chains:
            for place in chain[1:-1]:
                self.ranks[_rank_of(place)].append(place)
                self.above[place], self.below[place] = [], []
            for upper, lower in pairwise(chain):
                self.below[upper].append(lower)
                self.above[lower].append(upper)

    # --- what stands left of what -----------------------------------------------------------------------------------

    def _sort(self) -> None:
        """Sort each rank by the middles of what it is joined to, down and up, and keep what crosses least."""
        best, fewest = [list(rank) for rank in self.ranks], self._crossings()
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            for number in range(len(self.ranks)) if down else reversed(range(len(self.ranks))):
                beside = number - 1 if down else number + 1
                if 0 <= beside < len(self.ranks):
                    self._sort_by(number, beside, self.above if down else self.below)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(rank) for rank in self.ranks], crossings
        self.ranks = best

    def _sort_by(self, number: int, beside: int, joined: Mapping[_Place, Sequence[_Place]]) -> None:
        at = {one: place for place, one in enumerate(self.ranks[beside])}
        here = {one: place for place, one in enumerate(self.ranks[number])}
        middle = {one: _mean([at[other] for other in joined[one]], here[one]) for one in here}
        self.ranks[number].sort(key=lambda one: (middle[one], here[one]))

    def _crossings(self) -> int:
        crossings = 0
        for upper, lower in pairwise(self.ranks):
            at = {one: place for place, one in enumerate(lower)}
            seen: list[int] = []
            for one in upper:
                ends = sorted(at[other] for other in self.below[one])
                crossings += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
                for end in ends:
                    insort(seen, end)
        return crossings

    # --- how far apart ----------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Pull everything towards the middle of what it is joined to, as near as the room between allows."""
        for rank in self.ranks:
            self._put(rank, [0.0] * len(rank))
        for turn in range(2 * _SWEEPS):
            down = turn % 2 == 0
            for rank in self.ranks if down else reversed(self.ranks):
                joined = [self.above[one] if down else self.below[one] for one in rank]
                both = turn >= 2 * _SWEEPS - 4
                wanted = [
                    [*self.above[one], *self.below[one]] if both else ways
                    for one, ways in zip(rank, joined, strict=True)
                ]
                self._put(
                    rank,
                    [_mean([self.x[o] for o in ways], self.x[one]) for one, ways in zip(rank, wanted, strict=True)],
                )

    def _put(self, rank: Sequence[_Place], wanted: Sequence[float]) -> None:
        """As near to what is wanted as can be (least squares), in this order and without touching.

        Pools neighbours that would overlap, as isotonic regression does.
        """
        offsets, offset = [], 0.0
        for number, one in enumerate(rank):
            if number:
                offset += (self._width(rank[number - 1]) + self._width(one)) / 2 + GAP
            offsets.append(offset)
        pools: list[tuple[float, float, int]] = []  # sum of weighted places, weight, how many
        for one, place, offset in zip(rank, wanted, offsets, strict=True):
            weight = 1.0 if isinstance(one, str) else 4.0
            pool = ((place - offset) * weight, weight, 1)
            while pools and pools[-1][0] / pools[-1][1] > pool[0] / pool[1]:
                before = pools.pop()
                pool = (before[0] + pool[0], before[1] + pool[1], before[2] + pool[2])
            pools.append(pool)
        starts = [total / weight for total, weight, count in pools for _ in range(count)]
        self.x |= {one: start + offset for one, start, offset in zip(rank, starts, offsets, strict=True)}

    def _width(self, one: _Place) -> float:
        if isinstance(one, str):
            return self.boxes[one]
        line = self.lines[one[0]]
        return max(_LINE, line.width) if one[1] % 2 else _LINE

    # --- lines ------------------------------------------------------------------------------------------------------

    def _route(self, chain: Sequence[_Place], layer: Mapping[str, int], is_back: bool) -> list[Point]:
        """The points of a line from its source to its target."""
        top, bottom = str(chain[0]), str(chain[-1])
        points = [(self._port(top, chain[1], self.below), _y(2 * layer[top]) + BOX_HEIGHT / 2)]
        for one in chain[1:-1]:
            points += [(self.x[one], _y(_rank_of(one)) + off) for off in _OFFSETS[_rank_of(one) % 2]]
        points.append((self._port(bottom, chain[-2], self.above), _y(2 * layer[bottom]) - BOX_HEIGHT / 2))
        return points[::-1] if is_back else points

    def _port(self, box: str, beside: _Place, joined: Mapping[_Place, Sequence[_Place]]) -> float:
        """Where a line meets a box: all that do are spread over it in the order in which they come."""
        ways = sorted(joined[box], key=lambda one: (self.x[one], str(one)))
        step = min(26.0, self.boxes[box] * 0.8 / len(ways))
        return self.x[box] + (ways.index(beside) - (len(ways) - 1) / 2) * step

    def _words(self, chain: Sequence[_Place], is_back: bool) -> Point:
        """Beside the box that the line comes from."""
        place = chain[-2 if is_back else 1]
        return self.x[place], _y(_rank_of(place))


# A line passes boxes upright, and what stands between layers in a curve.
_OFFSETS = ((-BOX_HEIGHT / 2, BOX_HEIGHT / 2), (0.0,))


def _rank_of(place: _Place) -> int:
    """The rank of a line's place."""
    return int(place[1])


def _y(rank: int) -> float:
    return MARGIN + BOX_HEIGHT / 2 + rank * (BOX_HEIGHT + BETWEEN) / 2


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _walked(boxes: Iterable[str], lines: Sequence[Line]) -> tuple[list[str], set[int]]:
    """The boxes in an order in which lines lead onward, and the numbers of those that lead back."""
    out: dict[str, list[int]] = {box: [] for box in boxes}
    for number, line in enumerate(lines):
        out[line.source].append(number)
    done: list[str] = []
    state: dict[str, bool] = {}  # whether it was left again
    back: set[int] = set()
    for first in out:
        ahead = [] if first in state else [(first, iter(out[first]))]
        state.setdefault(first, False)
        while ahead:
            here, ways = ahead[-1]
            number = next(ways, -1)
            if number < 0:
                ahead.pop()
                state[here] = True
                done.append(here)
            elif lines[number].target not in state:
                state[lines[number].target] = False
                ahead.append((lines[number].target, iter(out[lines[number].target])))
            elif not state[lines[number].target]:
                back.add(number)
    return done[::-1], back


def _layers(order: Sequence[str], lines: Sequence[Line], back: set[int]) -> dict[str, int]:
    """How many boxes stand before each on the longest way to it."""
    into: dict[str, list[str]] = {box: [] for box in order}
    for number, line in enumerate(lines):
        if number in back:
            into[line.source].append(line.target)
        else:
            into[line.target].append(line.source)
    layer: dict[str, int] = {}
    for box in order:
        layer[box] = max((layer[before] + 1 for before in into[box]), default=0)
    return layer
