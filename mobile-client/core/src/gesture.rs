//! What a finger, pen or mouse means.
//!
//! - A press is shown at once; it taps when the finger leaves the screen still on the area.
//! - In a list that scrolls, moving up or down by more than [`SLOP_DP`] takes the list along and gives up the press; elsewhere a
//!   press is given up when the finger leaves the area by more than that. (Hurried fingers slide; a slide inside a button is a tap.)
//! - An area with a meaning for holding sends it after [`HOLD_MS`] of rest, and then no tap.
//! - A handle that is pulled its way by more than [`PULL_DP`] taps at once, while the finger is still down.
//! - A second finger that comes down while the first still presses completes the first: people type with two thumbs.
//! - A finger on a list that moves by itself stops it, and taps nothing.
//!
//! Not for: sending, painting. Coordinates are device pixels.

use tresen_scene::{
    Action, Field, Hit, Insets, Node, Point, Pressed, Pull, Rect, Scroll, ScrollOffsets, Touch, hit_test,
};

use crate::momentum::{Throw, Track};

/// How far a resting finger may stray, in dp.
pub const SLOP_DP: f32 = 8.0;

/// How far a handle is pulled, in dp.
pub const PULL_DP: f32 = 24.0;

/// How long a press lasts that is held, in ms.
pub const HOLD_MS: u64 = 450;

/// A list slower than this, in dp a millisecond, does not swallow a tap.
const TAPPABLE_SPEED_DP: f32 = 0.25;

/// A finger, pen or mouse button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// It came down.
    Down(Point),
    /// It moved while it was down.
    Move(Point),
    /// It left.
    Up(Point),
    /// The system took it away.
    Cancel,
}

/// What the pointer meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Tap(Action),
    Hold(Action),
    Edit(Action),
    /// A tap on nothing.
    Elsewhere,
    /// A tap on the link state.
    Status,
    /// A list is to be moved.
    Scroll {
        action: Action,
        offset: i32,
    },
}

/// What the pointer moves over.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub root: &'a Node,
    pub scrolls: &'a ScrollOffsets,
    pub status: Rect,
}

#[derive(Debug)]
pub(crate) struct Gesture {
    px_per_dp: f32,
    state: State,
    throw: Option<(Action, Throw)>,
}

#[derive(Debug)]
enum State {
    Idle,
    Pressing(Box<Press>),
    Dragging(Drag),
    Spent,
}

#[derive(Debug)]
struct Press {
    pointer: u32,
    start: Point,
    target: Target,
    hold_at_ms: Option<u64>,
    scroll: Option<Scroll>,
    track: Track,
}

#[derive(Debug)]
enum Target {
    Touch { touch: Touch, visible: Rect, look: Option<Pressed> },
    Field(Field, Rect),
    Status,
    Nothing,
}

#[derive(Debug)]
struct Drag {
    pointer: u32,
    action: Action,
    grabbed_y: i32,
    grabbed_offset: i32,
    track: Track,
}

impl Gesture {
    pub fn new(px_per_dp: f32) -> Self {
        Self { px_per_dp, state: State::Idle, throw: None }
    }

    /// The area that is being pressed.
    pub fn pressed(&self) -> Option<&Pressed> {
        match &self.state {
            State::Pressing(press) => match &press.target {
                Target::Touch { look, .. } => look.as_ref(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a list moves by itself.
    pub fn is_moving(&self) -> bool {
        self.throw.is_some()
    }

    pub fn pointer(&mut self, now_ms: u64, pointer: u32, what: Pointer, view: View) -> Vec<Act> {
        match what {
            Pointer::Down(at) => self.down(now_ms, pointer, at, view),
            Pointer::Move(at) => self.moved(now_ms, pointer, at, view),
            Pointer::Up(at) => self.up(now_ms, pointer, at, view),
            Pointer::Cancel => {
                self.cancel(pointer);
                Vec::new()
            }
        }
    }

    fn down(&mut self, now_ms: u64, pointer: u32, at: Point, view: View) -> Vec<Act> {
        let mut acts = Vec::new();
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Pressing(press) => acts.push(press.complete()),
            State::Dragging(drag) => {
                self.state = State::Dragging(drag);
                return acts;
            }
            State::Idle | State::Spent => {}
        }
        let stopped = self.stop(now_ms, &mut acts);
        let hit = hit_test(view.root, at, view.scrolls);
        let scroll = hit.scroll.as_ref().map(|(_, scroll)| scroll.clone());
        let scroll = scroll.filter(|scroll| ScrollOffsets::largest(scroll) > 0);
        let target = if stopped { Target::Nothing } else { Target::of(hit, at, view) };
        let holds = matches!(&target, Target::Touch { touch, .. } if touch.hold.is_some());
        let mut track = Track::default();
        track.push(now_ms, at.y);
        self.state = State::Pressing(Box::new(Press {
            pointer,
            start: at,
            target,
            hold_at_ms: holds.then_some(now_ms + HOLD_MS),
            scroll,
            track,
        }));
        acts
    }

    /// Stops a list that moves by itself; whether it was so fast that the finger meant to stop it.
    fn stop(&mut self, now_ms: u64, acts: &mut Vec<Act>) -> bool {
        let Some((action, mut throw)) = self.throw.take() else { return false };
        let (offset, _) = throw.step(now_ms);
        acts.push(Act::Scroll { action, offset });
        throw.speed_dp() > TAPPABLE_SPEED_DP
    }

    fn moved(&mut self, now_ms: u64, pointer: u32, at: Point, view: View) -> Vec<Act> {
        let slop = (SLOP_DP * self.px_per_dp) as i32;
        let pull = (PULL_DP * self.px_per_dp) as i32;
        match &mut self.state {
            State::Pressing(press) if press.pointer == pointer => {
                press.track.push(now_ms, at.y);
                let (dx, dy) = ((at.x - press.start.x).abs(), (at.y - press.start.y).abs());
                if dx.max(dy) > slop {
                    press.hold_at_ms = None;
                }
                let pulled = press.target.pulled(press.start, at);
                if let Some(way) = pulled.filter(|way| *way >= dx) {
                    if way > pull
                        && let State::Pressing(press) = std::mem::replace(&mut self.state, State::Spent)
                    {
                        return vec![press.complete()];
                    }
                } else if let Some(scroll) = press.scroll.as_ref().filter(|_| dy > slop && dy >= dx) {
                    self.state = State::Dragging(Drag {
                        pointer,
                        action: scroll.action.clone(),
                        grabbed_y: at.y,
                        grabbed_offset: view.scrolls.get(scroll),
                        track: std::mem::take(&mut press.track),
                    });
                } else if !press.target.reaches(press.start, at, slop) {
                    press.target = Target::Nothing;
                }
                Vec::new()
            }
            State::Dragging(drag) if drag.pointer == pointer => {
                drag.track.push(now_ms, at.y);
                let offset = drag.grabbed_offset + drag.grabbed_y - at.y;
                vec![Act::Scroll { action: drag.action.clone(), offset }]
            }
            _ => Vec::new(),
        }
    }

    fn up(&mut self, now_ms: u64, pointer: u32, at: Point, view: View) -> Vec<Act> {
        let mut acts = self.moved(now_ms, pointer, at, view);
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Pressing(press) if press.pointer == pointer => acts.push(press.complete()),
            State::Dragging(drag) if drag.pointer == pointer => {
                let offset = drag.grabbed_offset + drag.grabbed_y - at.y;
                let throw = Throw::new(now_ms, offset, -drag.track.speed(now_ms), self.px_per_dp);
                self.throw = throw.map(|throw| (drag.action, throw));
            }
            State::Spent => {}
            other => self.state = other,
        }
        acts
    }

    fn cancel(&mut self, pointer: u32) {
        let goes_on = match &self.state {
            State::Pressing(press) => press.pointer != pointer,
            State::Dragging(drag) => drag.pointer != pointer,
            State::Idle | State::Spent => false,
        };
        if !goes_on {
            self.state = State::Idle;
        }
    }

    /// Moves a thrown list on. `settled` says that the list stands at one of its ends.
    pub fn step(&mut self, now_ms: u64, settled: impl Fn(&Action, i32) -> bool) -> Vec<Act> {
        let Some((action, throw)) = &mut self.throw else { return Vec::new() };
        let (offset, goes_on) = throw.step(now_ms);
        let acts = vec![Act::Scroll { action: action.clone(), offset }];
        if !goes_on || settled(action, offset) {
            self.throw = None;
        }
        acts
    }

    pub fn poll_timeout(&self) -> Option<u64> {
        match &self.state {
            State::Pressing(press) => press.hold_at_ms,
            _ => None,
        }
    }

    pub fn handle_timeout(&mut self, now_ms: u64) -> Vec<Act> {
        if self.poll_timeout().is_none_or(|at| now_ms < at) {
            return Vec::new();
        }
        match std::mem::replace(&mut self.state, State::Spent) {
            State::Pressing(press) => match press.target {
                Target::Touch { touch, .. } => touch.hold.map(Act::Hold).into_iter().collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Another screen is shown: a press stays when what it presses is still there.
    pub fn screen_changed(&mut self, view: View) {
        let State::Pressing(press) = &mut self.state else { return };
        let Target::Touch { touch, .. } = &press.target else { return };
        let now = Target::of(hit_test(view.root, press.start, view.scrolls), press.start, view);
        if matches!(&now, Target::Touch { touch: found, .. } if found.action == touch.action) {
            press.target = now;
        } else {
            press.target = Target::Nothing;
            press.hold_at_ms = None;
        }
    }
}

impl Press {
    fn complete(self) -> Act {
        match self.target {
            Target::Touch { touch, .. } => Act::Tap(touch.action),
            Target::Field(field, _) => Act::Edit(field.action),
            Target::Status => Act::Status,
            Target::Nothing => Act::Elsewhere,
        }
    }
}

impl Target {
    fn of(hit: Hit, at: Point, view: View) -> Self {
        match (hit.field, hit.touch) {
            (Some((rect, field)), _) => Self::Field(field, rect),
            (None, Some((_, touch))) if touch.state.disabled || touch.action.bytes().is_empty() => {
                Self::Nothing
            }
            (None, Some((rect, touch))) => {
                let visible = hit.touch_visible;
                let look = touch.pressed.clone().map(|look| Pressed { rect, visible, look });
                Self::Touch { touch, visible, look }
            }
            (None, None) if view.status.contains(at) => Self::Status,
            (None, None) => Self::Nothing,
        }
    }

    /// How far a finger that started at `start` and is at `at` has pulled this handle its way, if it is one and was.
    fn pulled(&self, start: Point, at: Point) -> Option<i32> {
        let Self::Touch { touch, .. } = self else { return None };
        let way = match touch.state.pull? {
            Pull::Up => start.y - at.y,
            Pull::Down => at.y - start.y,
        };
        (way > 0).then_some(way)
    }

    /// Whether a finger that started at `start` may be at `at` and still means this.
    fn reaches(&self, start: Point, at: Point, slop: i32) -> bool {
        let rect = match self {
            Self::Touch { visible, .. } => *visible,
            Self::Field(_, rect) => *rect,
            Self::Status | Self::Nothing => Rect::new(start.x, start.y, 1, 1),
        };
        rect.inset(Insets::all(-slop)).contains(at)
    }
}
