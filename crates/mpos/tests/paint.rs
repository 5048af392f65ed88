//! How long a client paints after a tap.

mod common;

use std::time::Instant;

use common::House;
use common::screen::{Look, Screen};
use tresen_mpos::Tap;
use tresen_scene::{Canvas, Rect, damage};
use tresen_till::{LineId, ModifierId, Money, ProductId, TableId, demo};

#[test]
#[ignore = "a measurement, not a test"]
#[allow(clippy::disallowed_methods, reason = "measures")]
fn how_long_painting_takes() {
    let look = Look { height_dp: 640, scale_100: 200, ..Look::PHONE };
    let mut screen = Screen::new(House::evening(), look);
    let mut canvas = Canvas::new(look.size_px());
    let mut shown = screen.root();
    canvas.paint(&shown, &[Rect::of_size(look.size_px())], &screen.scrolls, None);
    let mut taps = vec![Tap::Person(demo::ANNA)];
    taps.extend([1, 2, 3, 4].map(Tap::Digit));
    for _ in 0..3 {
        taps.push(Tap::Table(TableId(4)));
        taps.extend([101, 103, 106, 101, 101].map(|id| Tap::Product(ProductId(id))));
        taps.extend([
            Tap::Product(ProductId(301)),
            Tap::Modifier(ModifierId(103)),
            Tap::Modifier(ModifierId(203)),
        ]);
        taps.extend([
            Tap::Accept,
            Tap::Line(LineId(4)),
            Tap::More,
            Tap::Back,
            Tap::PullList,
            Tap::PullList,
            Tap::Send,
        ]);
    }
    taps.extend([Tap::Table(TableId(4)), Tap::ToPay, Tap::Tender(Money::from_minor(60_000)), Tap::Digit(5)]);
    let (mut total, count) = (0.0, taps.len());
    for tap in taps {
        screen.house.tap(tap.clone());
        let root = screen.root();
        let rects = damage(Some(&shown), &root, Rect::of_size(look.size_px()), &screen.scrolls);
        let start = Instant::now();
        for _ in 0..20 {
            canvas.paint(&root, &rects, &screen.scrolls, None);
        }
        let us = start.elapsed().as_secs_f64() * 1e6 / 20.0;
        let area: i32 = rects.iter().map(|rect| rect.w * rect.h).sum();
        println!("{us:8.0} us {:3} rects {area:8} px  {tap:?}", rects.len());
        total += us;
        shown = root;
    }
    println!("{:.0} us a tap", total / count as f64);
}
