//! A till as small as it gets: a number that taps and colleagues change, and a screen that shows it.

#[allow(dead_code, reason = "the faults are injected into a pair of their own")]
pub mod pair;

use std::sync::Arc;

use tresen_scene::*;
use tresen_wire::*;

pub const SIZE: Size = Size::new(64, 64);
pub const LOOK: Look =
    Look { width_px: 64, height_px: 64, scale_100: 100, theme: Theme::Light, language: Language::De };

/// What the till holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Till(pub u64);

impl Till {
    /// An input has its effect.
    pub fn apply(&mut self, input: &Input) {
        let value = match input {
            Input::Tap(action) | Input::Hold(action) => {
                u64::from_le_bytes(std::array::from_fn(|at| action.bytes().get(at).copied().unwrap_or(1)))
            }
            Input::Key(Key::Digit(digit)) => u64::from(*digit) + 100,
            _ => 7,
        };
        // Tapping the fourth area does nothing, as some areas do.
        if value & 0xff != 3 {
            self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        }
    }

    /// A colleague books something.
    pub fn colleague(&mut self, what: u64) {
        self.0 = self.0.wrapping_add(what << 8 | 1);
    }

    /// Its screen. The actions of two areas are on this screen only.
    pub fn view(self, namer: &Namer) -> Arc<Node> {
        let [low, .., high] = self.0.to_le_bytes();
        let mut ops =
            vec![Op::Fill { rect: Rect::of_size(SIZE), color: Color::rgb(self.0 as u32 & 0xff_ffff) }];
        let actions = [vec![0], vec![1], vec![2, low, high], vec![3], vec![4, high]];
        ops.extend(actions.iter().zip(0..).map(|(bytes, at)| {
            let rect = Rect::new(at * 8, 0, 8, 8);
            let row = Node::new(namer, 10 + at as u64, vec![Op::from(touch(rect, bytes))]);
            Op::Child { at: Point::ZERO, node: row }
        }));
        Node::new(namer, 1, ops)
    }
}

fn touch(rect: Rect, bytes: &[u8]) -> Touch {
    Touch {
        rect,
        action: Action::new(bytes),
        hold: None,
        role: Role::Button,
        label: None,
        state: TouchState::default(),
        pressed: None,
    }
}

/// What can be tapped on a screen.
pub fn taps(root: &Node) -> Vec<Input> {
    let kinds = outline(root, &ScrollOffsets::default()).into_iter().map(|item| item.kind);
    kinds
        .filter_map(|kind| match kind {
            OutlineKind::Touch { action, .. } => Some(Input::Tap(action)),
            _ => None,
        })
        .collect()
}
