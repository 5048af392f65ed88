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
}
