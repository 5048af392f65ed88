//! What the kit promises, seen through its public door.

mod gallery;
mod golden;
mod speed;

use std::sync::Arc;

use tresen_scene::{Namer, Node, OutlineKind, ScrollOffsets, Size, outline};
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

/// Promise: a screen is a pure function of what it shows; whatever was drawn before does not matter.
#[test]
fn the_same_description_gives_the_same_screen() {
    let used = kit(Theme::Light, 225);
    for (name, page) in pages() {
        let first = draw(&used, page()).0;
        assert_eq!(first.id(), draw(&used, page()).0.id(), "{name} again");
        assert_eq!(first.id(), draw(&kit(Theme::Light, 225), page()).0.id(), "{name} by another typesetter");
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
