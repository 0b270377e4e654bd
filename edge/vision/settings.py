"""What the eyes need to know about geometry, time and light.

Thresholds that judge people are in `edge.core.policy`.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ActionSettings:
    """When a movement counts as an action, always against the person's own neutral face on this track.

    Measured on one talking man (200 s, degraded in many ways) and on puppets of many faces: models/TRIED-actions.md.
    """

    neutral_s: float = 0.5
    """Calm looking before the first action can be judged: half a second outlasts a blink and a syllable."""
    neutral_frames: int = 5
    """And at least this many frames, so that a slow camera cannot learn a neutral from one bad frame."""
    calm_deg: float = 6.0
    """Somebody who turns further than this within that time is still turning to the camera."""
    memory_s: float = 4.0
    """The neutral is the median of this long at rest: long against any action, short enough to follow a shift."""
    rest_yaw_deg: float = 35.0
    """Seats stand beside the camera, and cameras above or below the face: so far aside can still be "ahead"."""
    rest_pitch_deg: float = 30.0
    ahead_yaw_deg: float = 15.0
    """But whoever was looking elsewhere and stays further aside than this may be holding the turn that was asked."""
    ahead_pitch_deg: float = 20.0
    settle_s: float = 10.0
    """Only after so long there it is a new posture."""
    gap_s: float = 0.5
    """A longer gap between frames says nothing about what happened in it: movements under way are forgotten."""

    turn_deg: float = 18.0
    """Yaw that counts as a turn: people who talk stay within 12 degrees; an old neck reaches 25 easily."""
    turn_rest_deg: float = 9.0
    """Back within this the head is at rest again (hysteresis of a half)."""
    turn_full_deg: float = 35.0
    """A turn this far scores 1."""
    turn_hold_s: float = 0.08
    """One frame of a jumping mesh is not a turn; two at 10 a second are, whatever their times' jitter."""
    turn_longest_s: float = 4.0
    """From leaving rest to far enough: slower than this is a drift of posture."""

    nod_deg: float = 9.0
    """How far down a nod goes; talking bobs by less than 6 degrees."""
    nod_rest_deg: float = 4.5
    nod_full_deg: float = 20.0
    nod_shortest_s: float = 0.2
    nod_longest_s: float = 3.0
    """Down and up again within this; somebody who looks at the keypad stays down longer."""
    nod_yaw_deg: float = 15.0
    """While the head is turned this far, pitch cannot be trusted."""
    nod_swing_deg: float = 5.0
    """A head that swings sideways by more than this, and the share below of how far it goes down, looks somewhere."""
    nod_swing_share: float = 0.5
    nod_swing_s: float = 0.3
    """What the head did so long before belongs to it."""

    eyes_memory_s: float = 1.0
    """The lids' level: they narrow with every look down, and a blink is short against a second."""
    blink_rest: float = 0.10
    """Share of their level by which lids may be lower and still at rest: the mesh trembles by 0.01."""
    blink_depth: float = 0.20
    """The least depth of a blink; the mesh gives shut lids 0.25 (narrow eyes, small faces) to 0.5 of the level."""
    blink_full: float = 0.55
    """As deep as this scores 1."""
    blink_shortest_s: float = 0.05
    """Nobody blinks faster: one frame of 30 a second is a jump of the mesh."""
    blink_slight_longest_s: float = 0.3
    """A blink that is barely deep enough: on the talking face they last 0.1 to 0.25 s."""
    blink_longest_s: float = 0.8
    """A slow blink of an elderly person, if it is deep; longer and shallower is looking down."""
    blink_tremors: float = 4.0
    """Depths below so many sigma of this track's own tremor say nothing: small, dark or blurred faces."""
    blink_still_deg: float = 2.0
    """Lids seem lower while the head moves: each degree beyond this asks for `blink_depth_by_deg` more depth."""
    blink_depth_by_deg: float = 0.006
    blink_yaw_deg: float = 20.0
    """Turned further than this the far eye is foreshortened and its lids cannot be told."""

    shut_depth: float = 0.30
    """Eyes kept shut on request are at least this deep; his looks down were 0.18 to 0.29, his blinks 0.32 to 0.43.

    Not more than that apart: lids that cover the eye look alike, whatever is behind them.
    """
    shut_unknown_depth: float = 0.24
    """As long as they have not blinked: narrow lids shut by a quarter of their level, and puppets' painted ones."""
    shut_share: float = 0.8
    """Or, where this person's own blinks are less deep, this share of their median."""
    shut_least_depth: float = 0.20
    shut_blinks: int = 9
    """So many of the last blinks are remembered."""
    shut_longest_s: float = 6.0
    """Longer is resting, or asleep."""
    shut_head_deg: float = 8.0
    """The head of somebody who only shuts the eyes stays where it is; one who looks down takes it along."""

    mouth_gap: float = 0.14
    """Widening over neutral (in outer-eye-corner distances, 9 cm) that counts as open."""
    mouth_rest: float = 0.07
    mouth_full: float = 0.40
    mouth_laugh: float = 1.0
    """How much of the mouth's own widening is taken off: lips that laugh part by up to 0.22, and widen by 0.12."""
    mouth_width_memory_s: float = 20.0
    """Its width at rest: a laugh of some seconds must not become the neutral."""
    mouth_hold_s: float = 0.3
    """Vowels pass this in less; a mouth opened on request stays."""
    mouth_longest_s: float = 4.0


@dataclass(frozen=True, slots=True)
class EyesSettings:
    """Thresholds of `Eyes`; each says why it is what it is."""

    detect_least_score: float = 0.5
    """BlazeFace's own middle: nothing missed on the photos it was measured with, few false faces."""
    presence_least: float = 0.5
    """Below this the mesh net itself says that there is no face in its crop."""
    look_for_somebody_s: float = 0.15
    """With nobody there the detector runs this often and nothing else does: the terminal idles all day."""
    detect_every_s: float = 0.4
    """A second face is seen within half a second; the detector costs a fifth of a frame."""
    lost_after_s: float = 0.3
    """A face that frames did not show for longer may have been exchanged: new track."""
    blind_after_s: float = 0.7
    """The same where no frame was looked at in between: a busy machine is no sign of an exchange, a long gap is."""
    jump_widths: float = 0.75
    """No head moves three quarters of its width between two frames; plus `speed_widths_s` for the time between."""
    speed_widths_s: float = 3.0
    growth_ratio: float = 1.5
    """Nor does it come that much nearer between two frames."""
    swap_cosine: float = 0.45
    """One face in one sitting stays above 0.68 to single frames, above 0.78 to the probe even dim and 60 px small;
    two people are above 0.45 in 1 of 22,000 photo pairs (models/TRIED.md)."""

    least_face_width: float = 0.13
    """Share of the frame: 83 px of 640, about 90 cm from a 66-degree lens; smaller ones are soft at 112 px."""
    most_face_width: float = 0.55
    """Nearer than this chin or forehead leave the frame when somebody nods."""
    off_centre_x: float = 0.22
    """The face's centre may be this far (share of the width) from the middle: liveness needs the surroundings."""
    off_centre_y: float = 0.28
    """And this far of the height: people are short and tall, and the camera does not move."""
    face_least_luma: float = 40.0
    """Mean of 0..255 below which noise eats the lids; dark skin in room light is above 60."""
    face_most_luma: float = 220.0
    """Above it the skin is burnt out."""
    backlight_luma: float = 110.0
    """The surroundings outshine the face by this much and the face is dim: live faces then score 0.04 on passive."""
    backlit_face_luma: float = 50.0
    least_sharpness: float = 18.0
    """`quality.Figures.sharpness`: one press photo in 100 is below; smeared by a tenth of the face, most are."""
    most_yaw_deg: float = 15.0
    most_pitch_deg: float = 17.0
    most_roll_deg: float = 20.0
    """The embedding loses nothing up to here; roll is taken out by the alignment."""
    most_speed_widths_s: float = 0.8
    """Faster, a 1/30 s exposure smears by more than two per cent of the face."""
    least_face_px: float = 70.0
    """A face smaller than this is enlarged by more than half before it is embedded, in a photo as before a camera."""
    rival_width: float = 0.5
    """A second face at least this share of the first one's width stands at the terminal, a smaller one passes by."""
    covered_chroma: float = 25.0
    """Distance in (Cr, Cb) between mouth and upper cheeks: a mask, a scarf or a hand; lips and beards stay below."""
    covered_suspect_chroma: float = 14.0
    """The same where the light is suspicious, too: brighter than `bare_mouth_light` (white masks) or darker."""
    bare_mouth_light: tuple[float, float] = (0.3, 1.0)
    """Luma round the mouth by that of the cheeks: black beards on 500 photos go down to 0.3."""
    covered_eyes: float = 0.65
    """Eye sockets this much darker than the cheeks: sunglasses."""

    passive_box_scale: float = 2.7
    """The passive net's training: 2.7 detector boxes, moved inside the frame."""
    take_turns: bool = True
    """Good frames go to the passive net or to the embedding; False: to both, which the bench measures."""
    judge_withheld: bool = False
    """The passive net also on frames that are not READY, for evaluation: such a score is evidence for nothing."""
    cues_in_turn: bool = True
    """Pattern and border in turn on every third good frame; False: on each, for pictures that no other follows."""
    probe_most: int = 16
    """Good frames in a probe; the mean of more does not get better."""
    recheck_every: int = 4
    """Once the probe is full, one good frame in so many still goes through the embedding, to notice a swap."""

    actions: ActionSettings = field(default_factory=ActionSettings)
