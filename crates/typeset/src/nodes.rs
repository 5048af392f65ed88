//! Drawn nodes by the name of all that they depend on.
//!
//! Invariant: nodes are bounded by what their ops take, those of their parts included, though many share these; those that show photos keep these
//! alive, so they are bounded apart, by what both take.

use std::sync::Arc;

use tresen_scene::{Field, Node, ObjectId, Op, Touch};

use crate::cache::Weighed;
use crate::limits;
use crate::photos::weight;

/// A node that was drawn.
#[derive(Clone, Debug)]
pub enum Drawn {
    /// It is all that it can be.
    Finished(Arc<Node>),
    /// It lacks a photo that nobody has scaled yet: it is not remembered.
    Unfinished(Arc<Node>),
}

/// The last used nodes.
pub(crate) struct Nodes {
    plain: Weighed<ObjectId, Arc<Node>>,
    pictured: Weighed<ObjectId, Arc<Node>>,
}

impl Nodes {
    pub(crate) fn new((entries, bytes): (usize, usize), pictured: usize) -> Self {
        Self { plain: Weighed::new(entries, bytes), pictured: Weighed::new(pictured, limits::SPRITE_BYTES) }
    }

    /// The node that is kept under `key`, or `make`'s.
    pub(crate) fn remember(&self, key: ObjectId, make: impl FnOnce() -> Drawn) -> Arc<Node> {
        if let Some(found) = self.plain.get(&key).or_else(|| self.pictured.get(&key)) {
            return found;
        }
        let node = match make() {
            Drawn::Finished(node) => node,
            Drawn::Unfinished(node) => return node,
        };
        match photo_bytes(&node) {
            0 => self.plain.keep(key, node.clone(), op_bytes(&node)),
            bytes => self.pictured.keep(key, node.clone(), bytes + op_bytes(&node)),
        }
        node
    }
}

/// What the ops of a node take and those of all its parts, in bytes.
fn op_bytes(node: &Node) -> usize {
    let of_op = |op: &Op| match op {
        Op::Touch(_) => size_of::<Touch>(),
        Op::Field(_) => size_of::<Field>(),
        Op::Text(run) => size_of_val(&*run.glyphs),
        _ => 0,
    };
    let parts = node.ops().iter().flat_map(Op::children).map(|part| op_bytes(part));
    size_of_val(node.ops()) + node.ops().iter().map(of_op).sum::<usize>() + parts.sum::<usize>()
}

/// What the photos take that a node shows, in bytes.
fn photo_bytes(node: &Node) -> usize {
    let of_op = |op: &Op| match op {
        Op::Sprite { sprite, .. } => weight(sprite),
        Op::Child { node, .. } | Op::Clip { node, .. } => photo_bytes(node),
        Op::Scroll(scroll) => photo_bytes(&scroll.content),
        _ => 0,
    };
    node.ops().iter().map(of_op).sum()
}

#[cfg(test)]
mod tests {
    use tresen_scene::{Color, Namer, Point, Rect, Size, Sprite};

    use super::*;

    fn child(node: Arc<Node>) -> Op {
        Op::Child { at: Point::ZERO, node }
    }

    /// Promise: what a kept node shows of photos is bounded in bytes, also when its parts' parts show them.
    #[test]
    fn photos_are_weighed_wherever_they_are_shown() {
        let namer = Namer::new([3; 32]);
        let side = 1024;
        let sprite = Sprite::new(&namer, Size::new(side, side), &vec![7; (side * side * 4) as usize]);
        let bytes = weight(&sprite);
        let photo = Node::new(&namer, 0, vec![Op::Sprite { at: Point::ZERO, sprite }]);
        let fill = |shade| Op::Fill { rect: Rect::new(0, 0, shade, 1), color: Color::rgb(0) };
        let nodes = Nodes::new((64, usize::MAX), 64);
        let grid = |number: i32| Node::new(&namer, 0, vec![child(photo.clone()), fill(number)]);
        let key = |number: i32| namer.name(&number.to_le_bytes());
        let fits = (limits::SPRITE_BYTES / bytes) as i32;
        assert!((2..60).contains(&fits), "{fits}");
        for number in 0..fits + 2 {
            nodes.remember(key(number), || Drawn::Finished(grid(number)));
        }
        let mut made = 0;
        for number in (0..fits + 2).rev() {
            nodes.remember(key(number), || {
                made += 1;
                Drawn::Unfinished(grid(number))
            });
        }
        assert_eq!(made, 2, "the two that were used longest ago are gone");
    }

    /// Promise: what is kept without photos is bounded in bytes, too: a group of a thousand products makes large nodes.
    #[test]
    fn nodes_are_weighed() {
        let namer = Namer::new([3; 32]);
        let fill = |shade| Op::Fill { rect: Rect::new(0, 0, 1, 1), color: Color::rgb(shade) };
        let tile = |number: u32| Node::new(&namer, 0, vec![fill(number); 10]);
        let grid =
            |number: u32| Node::new(&namer, 0, (0..99).map(|at| child(tile(number * 99 + at))).collect());
        let key = |number: u32| namer.name(&number.to_le_bytes());
        let bytes = op_bytes(&grid(0));
        assert_eq!(bytes, (99 + 99 * 10) * size_of::<Op>());
        let nodes = Nodes::new((64, 5 * bytes), 4);
        (0..6).for_each(|number| drop(nodes.remember(key(number), || Drawn::Finished(grid(number)))));
        let mut made = 0;
        for number in (0..6).rev() {
            nodes.remember(key(number), || {
                made += 1;
                Drawn::Unfinished(grid(number))
            });
        }
        assert_eq!(made, 1, "the one that was used longest ago is gone");
    }

    /// Promise: what lacks a photo is drawn again.
    #[test]
    fn what_is_not_finished_is_not_kept() {
        let namer = Namer::new([3; 32]);
        let nodes = Nodes::new((4, usize::MAX), 4);
        let (key, mut made) = (namer.name(b"tile"), 0);
        for _ in 0..2 {
            nodes.remember(key, || {
                made += 1;
                Drawn::Unfinished(Node::new(&namer, 0, Vec::new()))
            });
        }
        assert_eq!(made, 2);
    }
}
