//! What a person before a screen can do: all that is kept of screens that a client had before.
//!
//! A screen that was kept whole would keep everything alive that nobody shows any more, some kilobytes each.
//!
//! Invariant: what is kept is a hash (SipHash-1-3) under a key that no client knows, so that nobody can make an action that is taken for another one.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use tresen_scene::{Action, Node, ObjectId, Op};
use tresen_wire::Input;

/// Under which hashes are made.
#[derive(Clone, Copy)]
pub(crate) struct OfferKey(SipHasher13);

impl fmt::Debug for OfferKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfferKey")
    }
}

impl OfferKey {
    /// Of 16 bytes that nobody else knows.
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        Self(SipHasher13::new_with_key(key))
    }

    fn hash(&self, way: Way, action: &Action) -> u64 {
        let mut hasher = self.0;
        hasher.write_u8(way as u8);
        hasher.write(action.bytes());
        hasher.finish()
    }

    /// What to look for among offers; `None` when an input can be done before any screen.
    pub(crate) fn wanted(&self, input: &Input) -> Option<u64> {
        done(input).map(|(way, action)| self.hash(way, action))
    }
}

/// What one screen offers.
#[derive(Clone, Debug)]
pub(crate) struct Offers {
    root: ObjectId,
    hashes: Box<[u64]>,
}

/// The ways to do something with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Way {
    Tap,
    Hold,
    Text,
}

impl Offers {
    /// What `root` offers.
    pub(crate) fn of(root: &Node, secret: &OfferKey) -> Self {
        let mut hashes = Vec::with_capacity(64);
        collect(root, &mut |way, action| hashes.push(secret.hash(way, action)));
        Self { root: root.id(), hashes: hashes.into() }
    }

    /// The screen's name.
    pub(crate) const fn root(&self) -> ObjectId {
        self.root
    }

    /// Whether a person before it can do what is [`OfferKey::wanted`].
    pub(crate) fn offers(&self, wanted: u64) -> bool {
        self.hashes.contains(&wanted)
    }
}

/// Whether a person before `root` can do `input`.
pub(crate) fn stands_on(input: &Input, root: &Node) -> bool {
    let Some((way, wanted)) = done(input) else { return true };
    any(root, &|op| offered(op).any(|offer| offer == (way, wanted)))
}

/// What an input does with which action; `None` when it can be done before any screen.
fn done(input: &Input) -> Option<(Way, &Action)> {
    match input {
        Input::Tap(action) => Some((Way::Tap, action)),
        Input::Hold(action) => Some((Way::Hold, action)),
        Input::Text { action, .. } => Some((Way::Text, action)),
        Input::Scan(_) | Input::Key(_) => None,
    }
}

/// What can be done with an op itself.
fn offered(op: &Op) -> impl Iterator<Item = (Way, &Action)> {
    let (first, second) = match op {
        Op::Touch(touch) if !touch.state.disabled => {
            (Some((Way::Tap, &touch.action)), touch.hold.as_ref().map(|hold| (Way::Hold, hold)))
        }
        Op::Field(field) => (Some((Way::Text, &field.action)), None),
        _ => (None, None),
    };
    first.into_iter().chain(second)
}

fn drawn(op: &Op) -> Option<&Node> {
    match op {
        Op::Child { node, .. } | Op::Clip { node, .. } => Some(node),
        Op::Scroll(scroll) => Some(&scroll.content),
        _ => None,
    }
}

fn collect<'a>(node: &'a Node, take: &mut impl FnMut(Way, &'a Action)) {
    for op in node.ops() {
        offered(op).for_each(|(way, action)| take(way, action));
        if let Some(inner) = drawn(op) {
            collect(inner, take);
        }
    }
}

fn any(node: &Node, fits: &impl Fn(&Op) -> bool) -> bool {
    node.ops().iter().any(|op| fits(op) || drawn(op).is_some_and(|inner| any(inner, fits)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tresen_scene::{Namer, Rect, Role, Scroll, Touch, TouchState};

    use super::*;

    fn touch(action: &str, hold: Option<&str>, disabled: bool) -> Op {
        Op::from(Touch {
            rect: Rect::new(0, 0, 9, 9),
            action: Action::new(action.as_bytes()),
            hold: hold.map(|hold| Action::new(hold.as_bytes())),
            role: Role::Button,
            label: None,
            state: TouchState { disabled, ..TouchState::default() },
            pressed: None,
        })
    }

    fn screen() -> Arc<Node> {
        let namer = Namer::new([7; 32]);
        let list = Node::new(&namer, 0, vec![touch("row", Some("row's details"), false)]);
        let rect = Rect::new(0, 0, 9, 9);
        let scroll = Scroll { rect, action: Action::new(b"list"), content: list, content_h: 9, offset: 0 };
        Node::new(&namer, 0, vec![touch("pay", None, false), touch("grey", None, true), Op::Scroll(scroll)])
    }

    /// Promise: what is kept of a screen takes exactly the inputs that the screen itself takes.
    #[test]
    fn a_screen_that_is_gone_takes_what_it_took() {
        let (root, secret) = (screen(), OfferKey::new(&[9; 16]));
        let offers = Offers::of(&root, &secret);
        assert_eq!(offers.root(), root.id());
        let mut taken = Vec::new();
        for name in ["pay", "grey", "row", "row's details", "list", "elsewhere"] {
            let action = Action::new(name.as_bytes());
            let inputs = [
                Input::Tap(action.clone()),
                Input::Hold(action.clone()),
                Input::Text { action, text: "x".into() },
            ];
            for (way, input) in ["tap", "hold", "text"].into_iter().zip(inputs) {
                let wanted = secret.wanted(&input).unwrap();
                assert_eq!(offers.offers(wanted), stands_on(&input, &root), "{input:?}");
                taken.extend(stands_on(&input, &root).then(|| format!("{way} {name}")));
            }
        }
        assert_eq!(taken, ["tap pay", "tap row", "hold row's details"]);
        assert_eq!(secret.wanted(&Input::Scan("4006381333931".into())), None, "a scanner needs no screen");
    }

    /// Promise: of a screen that a session remembers, eight bytes are kept for each thing that can be done, and nothing that it drew.
    #[test]
    fn a_screen_that_is_gone_is_small() {
        let offers = Offers::of(&screen(), &OfferKey::new(&[9; 16]));
        assert_eq!(size_of_val(&*offers.hashes), 3 * 8, "a hash for each thing that can be done");
    }
}
