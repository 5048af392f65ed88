//! What a button says, it says whole.

use tresen_scene::{Op, ScrollOffsets, outline};

use super::{Theme, collect, kit};
use crate::ui::*;

/// The texts of one button of this width, as drawn, and its name.
fn drawn(kit: &Kit, button: Button, width: i32) -> (String, String) {
    let page = column().align(Align::Start).child(button.width(width));
    let root = render(kit, tresen_scene::Size::new(kit.px(800), kit.px(100)), page);
    let mut nodes = Vec::new();
    collect(&root, &mut nodes);
    let texts = nodes.iter().flat_map(|node| node.ops()).filter_map(|op| match op {
        Op::Text(run) => Some(run.text()),
        _ => None,
    });
    let texts: Vec<_> = texts.collect();
    let name = outline(&root, &ScrollOffsets::default()).pop().expect("the button").label;
    (texts.join(" "), name)
}

/// Promise: the text of a button never gives way to its amount, neither on the screen nor in its name.
#[test]
fn a_text_is_not_cut_for_an_amount() {
    let words =
        ["Senden · 12", "Send · 99", "Bar erhalten", "Cash received", "Direktverkauf", "Hinzufügen · 99"];
    let amounts = ["4,80 €", "1.234,50 €", "12.345,60 €", "999.999,99 €", "€12,345.60"];
    for hundredths in [100, 150, 200, 300] {
        let kit = kit(Theme::Light, hundredths);
        for width in [140, 183, 205, 228, 328] {
            for (text, amount) in
                words.iter().flat_map(|text| amounts.iter().map(move |amount| (text, amount)))
            {
                let button = button(*text, tresen_scene::Action::new(b"x")).primary().trailing(*amount);
                let whole = format!("{text} {amount}");
                let (shown, name) = drawn(&kit, button, width);
                assert_eq!((shown.as_str(), name.as_str()), (whole.as_str(), whole.as_str()), "{width} dp");
            }
        }
    }
}

/// Promise: what can't be shown whole still has its whole name.
#[test]
fn a_name_is_whole_when_the_text_is_not() {
    let kit = kit(Theme::Light, 100);
    let action = tresen_scene::Action::new(b"x");
    let long = button("Zusammenrechnungsbeleg", action).trailing("12,00 €");
    let (shown, name) = drawn(&kit, long, 100);
    assert!(shown.contains('…') && shown.ends_with("12,00 €"), "{shown}");
    assert_eq!(name, "Zusammenrechnungsbeleg 12,00 €");
}
