"""Actions that take a while: new takes, bars and classes anew, the same hits with another feel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from backbeat.asking import Wishes
from backbeat.drummer import Drummer
from backbeat.errors import InputError
from backbeat.finishing import TAKES, end_with_band
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.models.drummer_asked import Watch, share_watch
from backbeat.studio.actions import Action
from backbeat.studio.alone import play_alone, stands_alone
from backbeat.studio.drums import Drums, Flags, exchange, pack_groove
from backbeat.studio.hands import drop_impossible, make_playing, play_new
from backbeat.studio.history import Entry
from backbeat.studio.leaning import lean, play_again, read_feel
from backbeat.studio.project import Project
from backbeat.studio.states import State, Take
from backbeat.studio.steps import Step, find_cells, find_locked, name_place
from backbeat.studio.windows import open_window
from backbeat.touch import Touch, play_by_hand, set_loudness

DECIDING = 0.85
"""Share of the time that deciding takes; the rest is playing by hand."""
FRESH_TEMPERATURE = 1.0
"""Where most is played anew; see ``drummer.REDO_TEMPERATURE``."""


@dataclass(frozen=True, eq=False)
class Session:
    """What is known of one piece of work.

    Args:
        drummer: who plays.
        project: for which.
        entry: from which.
        action: what is asked for, with its seed.
        watch: told how far it is.
    """

    drummer: Drummer
    project: Project
    entry: Entry
    action: Action
    watch: Watch

    @property
    def state(self) -> State:
        """Of the entry."""
        return self.entry.state

    @property
    def seed(self) -> int:
        """Of the action."""
        return int(self.action.values["seed"])

    @property
    def takes(self) -> int:
        """How many are asked for."""
        asked = self.action.values.get("takes")
        return int(asked or (self.state.settings["takes"] if self.action.type == "generate" else 1))

    @property
    def style(self) -> str:
        """The style of the whole song."""
        return str(self.state.settings["style"])

    @cached_property
    def wishes(self) -> Wishes | None:
        """What is asked for bar by bar."""
        return make_wishes(self.project, self.state)

    @property
    def options(self) -> dict[str, Any]:
        """What the drummer is told, whatever it plays."""
        return {"style": self.style, "seed": self.seed, "wishes": self.wishes}

    @cached_property
    def locked(self) -> Flags:
        """Bool [steps, classes]."""
        return find_locked(self.project.grid, self.state.locks)


def play(drummer: Drummer, project: Project, entry: Entry, action: Action, watch: Watch) -> Step:
    """Do an action that takes a while.

    Args:
        drummer: who plays.
        project: for which.
        entry: from which it starts.
        action: one of ``actions.JOBS``, with its seed.
        watch: called with the share that is done, 0-1; may raise to stop it.

    Raises:
        InputError: it cannot be done.
        SongError: there is nothing to accompany.
    """
    session = Session(drummer, project, entry, action, watch)
    watch(0.0)
    step = _WORK[action.type](session)
    watch(1.0)
    return step


def make_wishes(project: Project, state: State) -> Wishes | None:
    """What is asked for bar by bar: a bar's own settings go before those of its section, and these before the song's.

    Args:
        project: of the state.
        state: its settings.

    Returns:
        none where nothing is asked for.
    """
    levels = [(None, state.settings), *((range(*project.sections[k]), v) for k, v in state.sections.items() if k < len(project.sections))]
    wishes, starts = Wishes.nothing(project.grid.bars), project.cues.section_starts
    for where, values in levels:
        wishes = wishes.ask(where, density=values.get("density"), intensity=values.get("intensity"), style=None if where is None else values.get("style"))
        if values.get("fills") is not None:
            wishes = wishes.ask_fills(values["fills"], starts, where)
    for amount, bars in _group(state, ("fills",)):
        wishes = wishes if amount["fills"] is None else wishes.ask_fills(amount["fills"], starts, bars)
    for values, bars in _group(state, ("density", "intensity", "style", "fill")):
        wishes = wishes.ask(bars, **values)
    said = any(not np.isnan(a).all() for a in (wishes.density, wishes.intensity, wishes.fills)) or set(wishes.styles) != {"any"}
    return wishes if said else None


def _group(state: State, names: tuple[str, ...]) -> list[tuple[dict[str, Any], list[int]]]:
    """Bars that have settings of their own, those with the same ones together."""
    groups = defaultdict[tuple[Any, ...], list[int]](list)
    for bar, values in state.bars.items():
        groups[tuple(values.get(name) for name in names)].append(bar)
    return [(dict(zip(names, values, strict=True)), bars) for values, bars in groups.items()]


def _generate(session: Session) -> Step:
    state = session.state
    if session.locked.all():
        raise InputError("all cells are locked: unlock some first")
    if session.locked.any():
        drums = _redo_cells(session, np.ones_like(session.locked), FRESH_TEMPERATURE)
    else:
        drums = [Drums.from_groove(groove) for groove in _play_takes(session)]
    names = _name_takes(state, len(drums))
    takes = [Take(name, session.seed, d.key) for name, d in zip(names, drums, strict=True)]
    label = f"Play {len(takes)} take{'s' * (len(takes) > 1)}" + f", seed {session.seed}"
    action = {**session.action.to_dict(), "takes": len(takes)}
    return Step(action, label, state.add(takes), tuple(drums))


def _name_takes(state: State, count: int) -> list[str]:
    """Names that no take has yet: "Take 4" and so on."""
    used = [int(take.name[5:]) for take in state.takes if take.name.startswith("Take ") and take.name[5:].isdecimal() and len(take.name) < 12]
    first = max(used, default=0) + 1
    return [f"Take {first + k}" for k in range(count)]


def _play_takes(session: Session) -> list[Groove]:
    """New takes, played by hand, with the swing and the push that are set."""
    project, settings = session.project, session.state.settings
    touch = Touch(playing=make_playing(settings, "any"))  # the styles of bars are told to the performer below
    temperature, feel = settings["temperature"], read_feel(settings)
    if stands_alone(project.song):
        played = _play_alone(session, touch)
    else:
        watch = share_watch(session.watch, 0, DECIDING if feel else 1)
        played = session.drummer.accompany_takes(project.song, session.takes, temperature=temperature, touch=touch, watch=watch, **session.options)
    if feel is None:
        return played
    everything = np.ones(played[0].hits.shape, np.bool_)
    window = open_window(project.song, project.grid, everything)
    return [_end(window.paste(groove, lean(window.cut(groove), everything, window, feel)), session) for groove in played]


def _play_alone(session: Session, touch: Touch) -> list[Groove]:
    """Takes without a band that could be followed."""
    project, options = session.project, session.options
    temperature, watch = session.state.settings["temperature"], share_watch(session.watch, 0, DECIDING)
    played = play_alone(session.drummer, project.grid, project.cues.qpm, session.takes, temperature=temperature, watch=watch, **options)
    wishes = (options["wishes"] or Wishes.nothing(project.grid.bars)).with_style(session.style)
    tempo = project.song.tempo
    return [play_by_hand(groove, tempo, touch, seed=TAKES * session.seed + take, wishes=wishes) for take, groove in enumerate(played)]


def _redo(session: Session) -> Step:
    state, action = session.state, session.action
    cells = find_cells(session.project.grid, action.values["bars"], action.values["classes"])
    if not (cells & ~session.locked).any():
        raise InputError("all of these cells are locked: unlock some first")
    drums = _redo_cells(session, cells, FRESH_TEMPERATURE if action.values["bars"] is None and action.values["classes"] is None else None)
    label, stored = f"Redo {name_place(action)}, seed {session.seed}", {**action.to_dict(), "takes": session.takes}
    if session.takes == 1:
        take = state.current or Take("Take 1", session.seed, "")
        return Step(stored, label, state.put(replace(take, groove=drums[0].key)), tuple(drums))
    takes = [Take(name, session.seed, d.key) for name, d in zip(_name_takes(state, len(drums)), drums, strict=True)]
    return Step(stored, label, state.add(takes), tuple(drums))


def _redo_cells(session: Session, cells: Flags, temperature: float | None) -> list[Drums]:
    """Some cells of the current take anew, several times; all others, and those that are locked, keep every bit."""
    project, state = session.project, session.state
    if cells.all() and not session.locked.any() and stands_alone(project.song):
        return [Drums.from_groove(groove) for groove in _play_takes(session)]
    drums = project.drums(state=state)
    groove, cells = drums.to_groove(project.grid), cells & ~session.locked
    known = find_known(groove, cells)
    asked = state.settings["temperature"]
    temperature = temperature if asked is None else asked
    watch = share_watch(session.watch, 0, DECIDING)
    played = session.drummer.redo_takes(project.song, groove, known, session.takes, temperature=temperature, watch=watch, **session.options)
    out = []
    for number, new in enumerate(played):
        session.watch(DECIDING + (1 - DECIDING) * number / len(played))
        out.append(exchange(drums, cells, pack_groove(_finish_cells(session, groove, new, cells, number)), project.grid))
    return out


def find_known(groove: Groove, cells: Flags) -> Flags:
    """Bool [steps, 9]: what the drummer must leave as it is when some cells are played anew.

    A class of the nine is open where any of its classes is; but a hit that stays takes its place.

    Args:
        groove: as it is.
        cells: bool [steps, classes of the groove's kit] to be played anew.
    """
    group = groove.kit.mapping(load_kit("drums_rnn_9"))
    known = np.ones((groove.grid.steps, 9), np.bool_)
    staying = groove.hits & ~cells
    for column, nine in enumerate(group.tolist()):
        known[cells[:, column], nine] = False
    for column, nine in enumerate(group.tolist()):
        known[staying[:, column], nine] = True
    return known


def _finish_cells(session: Session, old: Groove, new: Groove, cells: Flags, number: int) -> Groove:
    """What was played anew, by hand, beside what stays."""
    project, settings = session.project, session.state.settings
    staying = old.hits & ~cells
    hits = staying | (new.hits & cells)
    whole = Groove(old.grid, old.kit, hits, *(np.where(staying, getattr(old, n), getattr(new, n)) for n in ("velocities", "offsets")))
    window = open_window(project.song, project.grid, cells)
    part, free = window.cut(whole), cells[window.steps]
    wishes = session.wishes
    part = play_new(part, free, window, make_playing(settings, _main_style(session, cells)), TAKES * session.seed + number)
    part = lean(part, free, window, read_feel(settings))
    part = drop_impossible(part, free, window)
    if wishes is not None:
        loud = set_loudness(part.replace(hits=part.hits & free), wishes.intensity[window.bars])
        part = part.replace(velocities=np.where(free, loud.velocities, part.velocities))
    return _end(window.paste(whole, part), session)


def _main_style(session: Session, cells: Flags) -> str:
    """The style of most of the bars with some cells."""
    wishes = session.wishes
    if wishes is None:
        return session.style
    bars = np.unique(session.project.grid.bar_of_step[cells.any(axis=1)]).tolist()
    said: list[str] = [wishes.with_style(session.style).styles[bar] for bar in bars]
    return max(sorted(set(said)), key=said.count)


def _end(groove: Groove, session: Session) -> Groove:
    return groove if session.project.blank else end_with_band(groove, session.project.song)


def _find_unfelt(session: Session) -> State:
    """The state before the feels that led to this one: what is felt again starts from what was played, not from the last feel."""
    entry, history, locks = session.entry, session.project.history, session.state.locks
    found = entry.state
    while entry.parent is not None:
        before = history.find(entry.parent)
        take, old = entry.state.current, before.state.current
        changed = take is not None and old is not None and take.groove != old.groove
        if take is None or old is None or before.state.locks != locks or (changed and entry.action.get("type") != "feel"):
            break
        found, entry = (before.state if changed else found), before
    return found


def _feel(session: Session) -> Step:
    project, state, action = session.project, session.state, session.action
    drums = project.drums(state=state)
    cells = find_cells(project.grid, action.values["bars"], action.values["classes"]) & ~session.locked
    groove = project.drums(state=_find_unfelt(session)).to_groove(project.grid)
    if not (groove.hits & cells).any():
        raise InputError("there is no hit that could be played with another feel: all are locked, or there are none")
    window = open_window(project.song, project.grid, groove.hits & cells)
    part, free = window.cut(groove), cells[window.steps]
    playing, feel = make_playing(state.settings, _main_style(session, cells)), read_feel(state.settings)
    again = play_again(part, free, window, playing, feel, TAKES * session.seed)
    if session.wishes is not None:
        loud = set_loudness(again.replace(hits=again.hits & free), session.wishes.intensity[window.bars])
        again = again.replace(velocities=np.where(free, loud.velocities, again.velocities))
    felt = exchange(drums, cells, pack_groove(window.paste(groove, again)), project.grid)
    take = state.current or Take("Take 1", None, "")
    label = f"Feel of {name_place(action)}, seed {session.seed}"
    return Step(action.to_dict(), label, state.put(replace(take, groove=felt.key)), (felt,))


_WORK: dict[str, Callable[[Session], Step]] = {"generate": _generate, "redo": _redo, "feel": _feel}
