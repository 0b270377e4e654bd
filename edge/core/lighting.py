"""The moves of the light challenge, between a good picture and the action.  What it is: `edge.core.light`.

It asks nothing of the person, happens on the Framing page, and lasts five seconds at most.  What is seen meanwhile
is for the light alone: the passive net was never taught coloured faces.  Whatever leads away from it (help, another
page, a lost camera, another face) ends it, and it begins again with other colours when the picture is good again.
"""

from dataclasses import replace

from edge.core import light
from edge.core.ending import Step, amend
from edge.core.policy import Policy
from edge.core.state import State
from edge.core.types import Observation


def due(state: State, policy: Policy) -> bool:
    """Whether this face, good enough for the action, has still to be lit."""
    return policy.light_challenge and not state.visit.evidence.lit


def exhausted(state: State, policy: Policy) -> bool:
    """Whether it was begun as often as all tries together allow: else a film waits for the colours that it holds."""
    return due(state, policy) and state.visit.lights >= policy.max_tries * (policy.max_restarts + 1)


def begin(state: State) -> Step:
    """The first colour."""
    visit = state.visit
    showing = light.begin(state.nonce, visit.lights, state.now_ns)
    return amend(state, showing=showing, lights=visit.lights + 1, notice=None), ()


def see(state: State, seen: Observation) -> State:
    showing = state.visit.showing
    return state if showing is None else amend(state, showing=light.see(showing, seen))


def tick(state: State) -> State:
    """The next colour, or the answer: a cue of this track, or nothing where it could not be told."""
    visit = state.visit
    if visit.showing is None:
        return state
    showing = light.go_on(visit.showing, state.now_ns)
    if not showing.over(state.now_ns):
        return amend(state, showing=showing)
    evidence = replace(visit.evidence, lit=True, light=light.answer(showing).score)
    return amend(state, showing=None, evidence=evidence)
