//! Promises: ops are the same exactly when nodes of them have one name; painting the damage is painting all.

#[path = "../../wire/tests/scenes/mod.rs"]
mod scenes;

use proptest::prelude::*;
use scenes::{Maker, SIZE, painted};
use tresen_scene::*;

fn all_ops(node: &Node, found: &mut Vec<Op>) {
    for op in node.ops() {
        found.push(op.clone());
        op.children().for_each(|child| all_ops(child, found));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_ops_have_the_same_name(seed: u64, changes in 1_usize..30) {
        let mut maker = Maker::new(seed);
        let mut ops = Vec::new();
        all_ops(&maker.scene(), &mut ops);
        (0..changes).for_each(|_| maker.change());
        all_ops(&maker.scene(), &mut ops);
        let names: Vec<ObjectId> = ops.iter().map(|op| Node::new(&maker.namer, 0, vec![op.clone()]).id()).collect();
        for (one, name) in ops.iter().zip(&names) {
            for (other, another) in ops.iter().zip(&names) {
                prop_assert_eq!(one.same(other), name == another, "{:?} {:?}", one, other);
            }
        }
    }

    /// Also with areas that were scrolled by hand.
    #[test]
    fn painting_the_damage_is_painting_all(seed: u64, steps in proptest::collection::vec(0_usize..4, 1..40)) {
        let mut maker = Maker::new(seed);
        let screen = Rect::of_size(SIZE);
        let mut scrolls = ScrollOffsets::default();
        let mut shown = maker.scene();
        let mut canvas = painted(&shown);
        for changes in steps {
            (0..changes).for_each(|_| maker.change());
            let next = maker.scene();
            let rects = damage(Some(&shown), &next, screen, &scrolls);
            prop_assert!(rects.len() <= limits::DAMAGE_RECTS);
            canvas.paint(&next, &rects, &scrolls, None);
            let mut whole = Canvas::new(SIZE);
            whole.paint(&next, &[screen], &scrolls, None);
            prop_assert!(canvas == whole);
            shown = next;
            let by_hand = maker.pick(80) as i32;
            let scroll = shown.ops().iter().find_map(|op| if let Op::Scroll(scroll) = op { Some(scroll.clone()) } else { None });
            if let Some(scroll) = scroll
                && scrolls.set(&scroll, by_hand)
            {
                canvas.paint(&shown, &[scroll.rect], &scrolls, None);
            }
        }
    }

    /// Promise: what is hidden is left out, and that shows nowhere: layers painted at once look as painted one after another.
    #[test]
    fn leaving_out_what_is_hidden_shows_nowhere(layers in proptest::collection::vec(layer(), 1..12), piece in rect()) {
        let size = Size::new(300, 150);
        let (screen, scrolls) = (Rect::of_size(size), ScrollOffsets::default());
        let (mut one_by_one, mut at_once) = (Canvas::new(size), Canvas::new(size));
        let mut in_pieces = at_once.clone();
        for layer in &layers {
            one_by_one.paint(&Node::new(&namer(), 0, vec![layer.clone()]), &[screen], &scrolls, None);
        }
        let all = Node::new(&namer(), 0, layers);
        at_once.paint(&all, &[screen], &scrolls, None);
        prop_assert!(at_once == one_by_one);
        let upper = Rect::new(0, 0, size.w, piece.y);
        let lower = Rect::new(0, piece.y, size.w, size.h - piece.y);
        in_pieces.paint(&all, &[upper, lower], &scrolls, None);
        prop_assert!(in_pieces == one_by_one);
        prop_assert!(!covers(&all, Point::ZERO, piece, &scrolls) || {
            let mut canvas = Canvas::new(size);
            let white = Op::Fill { rect: screen, color: Color::rgb(0xFF_FFFF) };
            canvas.paint(&Node::new(&namer(), 0, vec![white]), &[screen], &scrolls, None);
            canvas.paint(&all, &[piece], &scrolls, None);
            canvas.rgba(piece) == at_once.rgba(piece)
        }, "what covers lets nothing through");
    }
}

fn namer() -> Namer {
    Namer::new([3; 32])
}

fn rect() -> impl Strategy<Value = Rect> {
    (-20..280, -20..140, 1..320, 1..170).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
}

/// A drawing op, mostly an opaque one, some within children and clips.
fn layer() -> impl Strategy<Value = Op> {
    let alpha = prop_oneof![3 => Just(255_u8), 1 => any::<u8>()];
    let color = (any::<[u8; 3]>(), alpha).prop_map(|([r, g, b], a)| Color { r, g, b, a });
    let mask = prop_oneof![Just([255_u8; 25]), Just(ROUND), any::<[u8; 25]>()];
    let fill = (rect(), color.clone()).prop_map(|(rect, color)| Op::Fill { rect, color });
    let nine = (rect(), color, mask, 0..3, 0..3).prop_map(|(rect, color, mask, top, left)| Op::NinePatch {
        rect,
        mask: Mask::new(&namer(), Size::new(5, 5), &mask),
        insets: Insets { left, top, right: 2, bottom: 2 },
        color,
    });
    let drawn = prop_oneof![fill, nine];
    (drawn, 0..3, -30..30, -30..30, rect()).prop_map(|(op, nesting, x, y, rect)| {
        let (at, node) = (Point::new(x, y), || Node::new(&namer(), 0, vec![op.clone()]));
        match nesting {
            0 => op,
            1 => Op::Child { at, node: node() },
            _ => Op::Clip { rect, at, node: node() },
        }
    })
}

/// The corners of something round.
const ROUND: [u8; 25] = [
    0, 120, 255, 120, 0, //
    120, 255, 255, 255, 120, //
    255, 255, 255, 255, 255, //
    120, 255, 255, 255, 120, //
    0, 120, 255, 120, 0,
];
