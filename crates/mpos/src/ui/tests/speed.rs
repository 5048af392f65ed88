//! How long a busy screen takes: run it by hand, in release, with `--ignored --nocapture`.

use std::time::Instant;

use tresen_scene::Size;

use super::{gallery, kit};
use crate::ui::*;

/// Thirty tiles and ten rows, of which a quantity changes with every drawing.
pub fn busy(quantity: usize) -> Element {
    let product = |index: usize| {
        let product =
            tile(format!("Produkt {index}"), "3,90", gallery::act(index as u8)).on_hold(gallery::act(99));
        if index == 7 { product.count(quantity.to_string()) } else { product }
    };
    let line = |index: usize| {
        let quantity = if index == 3 { quantity } else { index };
        list_row(format!("Zeile {index}")).quantity(quantity.to_string()).amount("28,50").on(gallery::act(50))
    };
    column()
        .child(header("Tisch 4").subtitle("4 Gäste · Anna").back(gallery::act(90), "Zurück"))
        .child(chips(
            (0..6).map(|index| chip(format!("Gruppe {index}"), Selected::when(index == 0), gallery::act(20))),
        ))
        .child(scroll(gallery::act(91), grid(3).gap(GAP).pad_x(EDGE).children((0..30).map(product))))
        .child(scroll(gallery::act(92), column().children((0..10).map(|index| line(index).key(index)))))
        .child(
            row().gap(8).pad(EDGE).child(button("Zahlen", gallery::act(93))).child(
                button("Senden", gallery::act(94)).primary().trailing(format!("{quantity},00 €")).grow(),
            ),
        )
}

#[test]
#[ignore = "a measurement, not a test"]
#[allow(clippy::disallowed_methods, reason = "it measures")]
fn how_long_a_busy_screen_takes() {
    const ROUNDS: u32 = 500;
    let kit = kit(Theme::Light, 200);
    let size = Size::new(720, 1440);
    let cold = Instant::now();
    render(&kit, size, busy(0));
    println!("cold: {:?}", cold.elapsed());
    for (name, changes) in [("same", 0), ("one of 90 quantities changes", 90)] {
        let warm = |round: u32| if changes == 0 { 1 } else { round as usize % changes };
        (0..100).for_each(|round| drop(render(&kit, size, busy(warm(round)))));
        let mut times: Vec<_> = (0..ROUNDS)
            .map(|round| {
                let start = Instant::now();
                drop(render(&kit, size, busy(warm(round))));
                start.elapsed()
            })
            .collect();
        times.sort();
        println!("warm, {name}: fastest {:?}, median {:?}", times[0], times[times.len() / 2]);
    }
}
