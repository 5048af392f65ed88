//! What the kit promises, seen through its public door.

mod buttons;
mod gallery;
mod golden;
mod speed;

use std::collections::HashSet;
use std::sync::Arc;

use tresen_scene::{Namer, Node, Op, OutlineKind, Point, Pressed, ScrollOffsets, Size, hit_test, outline};
use tresen_typeset::Typesetter;

use super::*;

fn kit(theme: Theme, hundredths: u16) -> Kit {
    Kit::new(Typesetter::new(Namer::new([7; 32])), theme, Scale::from_hundredths(hundredths))
}

fn draw(kit: &Kit, page: Element) -> (Arc<Node>, Size) {
    let size = Size::new(kit.px(360), kit.px(720));
    (render(kit, size, page), size)
}

type Page = fn() -> Element;

fn pages() -> [(&'static str, Page); 5] {
    [
        ("order", || gallery::order("2")),
        ("pin", gallery::pin),
        ("tables", gallery::tables),
        ("modifiers", gallery::modifiers),
        ("pay", gallery::pay),
    ]
}

/// The look: every part of the kit, light and dark, at every scale.
#[test]
fn pages_look_as_they_did() {
    for (theme, theme_name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        for (scale, hundredths) in [("1x", 100), ("2x", 200), ("3x", 300)] {
            let kit = kit(theme, hundredths);
            for (name, page) in pages() {
                let (root, size) = draw(&kit, page());
                golden::check(&format!("{name}-{theme_name}-{scale}"), &root, size, None);
            }
        }
    }
}

/// The look of what is pressed, on every ground.
#[test]
fn pressed_looks_as_it_did() {
    let pressed =
        [("tile", gallery::order as fn(&str) -> Element, "Cola 0,33"), ("primary", gallery::order, "Senden")];
    for (theme, theme_name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let kit = kit(theme, 200);
        for (name, page, label) in pressed {
            let (root, size) = draw(&kit, page("2"));
            let items = outline(&root, &ScrollOffsets::default());
            let item = items.iter().find(|item| item.label.starts_with(label)).unwrap();
            let middle = Point::new(item.rect.x + item.rect.w / 2, item.rect.y + item.rect.h / 2);
            let (rect, touch) = hit_test(&root, middle, &ScrollOffsets::default()).touch.unwrap();
            let pressed = Pressed { rect, visible: rect, look: touch.pressed.unwrap() };
            golden::check(&format!("pressed-{name}-{theme_name}"), &root, size, Some(&pressed));
        }
    }
}

/// Promise: a changed quantity changes few nodes, and those keep their keys, so that they are sent as patches.
#[test]
fn a_change_touches_few_nodes() {
    let kit = kit(Theme::Light, 200);
    let nodes = |quantity| {
        let mut nodes = Vec::new();
        collect(&draw(&kit, speed::busy(quantity)).0, &mut nodes);
        nodes
    };
    let (before, after) = (nodes(1), nodes(2));
    let new: Vec<_> = after.iter().filter(|node| !before.contains(node)).collect();
    assert!(new.len() <= 7, "{new:?}");
    for node in &new {
        assert!(before.iter().any(|old| old.key() == node.key()), "{node:?} is a patch of nothing");
    }
}

/// A key tells what is patched: no two nodes of a screen share one.
#[test]
fn keys_are_unique() {
    let kit = kit(Theme::Light, 200);
    for (name, page) in pages() {
        let mut nodes = Vec::new();
        collect(&draw(&kit, page()).0, &mut nodes);
        let keyed: Vec<u64> = nodes.iter().map(|node| node.key()).filter(|key| *key != 0).collect();
        let distinct: HashSet<u64> = keyed.iter().copied().collect();
        assert_eq!(distinct.len(), keyed.len(), "{name}");
    }
}

fn collect(node: &Arc<Node>, nodes: &mut Vec<Arc<Node>>) {
    nodes.push(node.clone());
    node.ops().iter().flat_map(Op::children).for_each(|child| collect(child, nodes));
}

/// Promise: a screen is a pure function of what it shows; whatever was drawn before does not matter.
#[test]
fn the_same_description_gives_the_same_screen() {
    let used = kit(Theme::Light, 225);
    for (name, page) in pages() {
        let first = draw(&used, page()).0;
        assert_eq!(first.id(), draw(&used, page()).0.id(), "{name} again");
        assert_eq!(first.id(), draw(&kit(Theme::Light, 225), page()).0.id(), "{name} by another typesetter");
    }
    // What is laid out once serves whoever takes the same room, and nobody else.
    for quantity in ["1", "7", "12", "1234567890"] {
        let first = draw(&used, gallery::order(quantity)).0;
        let anew = draw(&kit(Theme::Light, 225), gallery::order(quantity)).0;
        assert_eq!(first.id(), anew.id(), "{quantity} of something");
    }
}

/// Promise of the look: nothing that is pressed is smaller than 48 dp, and all of it has a name.
#[test]
fn everything_pressed_is_large_enough_and_named() {
    for hundredths in [100, 133, 200, 300] {
        let kit = kit(Theme::Light, hundredths);
        for (name, page) in pages() {
            let (root, _) = draw(&kit, page());
            for item in outline(&root, &ScrollOffsets::default()) {
                let OutlineKind::Touch { state, .. } = item.kind else { continue };
                assert!(state.disabled || !item.label.is_empty(), "{name}: {:?} has no name", item.rect);
            }
        }
    }
}
