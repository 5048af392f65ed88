//! Fingers, wheels and what they do to a screen.

use proptest::prelude::*;
use tresen_client::{Event, HOLD_MS, Pointer};
use tresen_scene::{Point, Pull, Rect};
use tresen_wire::Input;

use crate::world::*;

fn tapped(name: &str) -> Input {
    Input::Tap(action(name))
}

/// Promise: a press shows at once, without the server, and a tap is sent once.
#[test]
fn a_press_shows_at_once_and_taps_on_release() {
    let mut world = World::attached(&Screen::default());
    world.pointer(Pointer::Down(BUTTON));
    assert_eq!(world.client.paint(world.now_ms), [Rect::new(10, 60, 80, 36)], "only the button is painted");
    world.check_canvas();
    assert!(world.inputs.is_empty());
    world.pointer(Pointer::Up(BUTTON));
    assert!(world.client.pressed().is_none());
    world.check_canvas();
    assert_eq!(world.take_inputs(), [tapped("sell")]);
}

#[test]
fn a_finger_may_slide_within_a_button_but_not_off_it() {
    let mut world = World::attached(&Screen::default());
    world.drag(BUTTON, Point::new(85, 70), 3, 0);
    assert_eq!(world.take_inputs(), [tapped("sell")]);
    world.drag(BUTTON, Point::new(150, 80), 3, 0);
    world.pointer(Pointer::Down(BUTTON));
    world.pointer(Pointer::Cancel);
    assert!(world.take_inputs().is_empty());
    world.check_canvas();
}

#[test]
fn what_is_disabled_does_nothing() {
    let mut world = World::attached(&Screen::default());
    world.pointer(Pointer::Down(DISABLED));
    assert!(world.client.pressed().is_none());
    world.pointer(Pointer::Up(DISABLED));
    assert!(world.take_inputs().is_empty());
}

#[test]
fn holding_sends_its_own_action_and_no_tap() {
    let mut world = World::attached(&Screen::default());
    world.pointer(Pointer::Down(BUTTON));
    world.pass(HOLD_MS - 20);
    assert!(world.inputs.is_empty());
    world.pass(40);
    assert_eq!(world.take_inputs(), [Input::Hold(action("price"))]);
    world.pointer(Pointer::Up(BUTTON));
    assert!(world.take_inputs().is_empty());
}

/// Promise: people who type with two thumbs lose nothing.
#[test]
fn a_second_finger_completes_the_first() {
    let mut world = World::attached(&Screen::default());
    world.finger(1, Pointer::Down(BUTTON));
    world.finger(2, Pointer::Down(Point::new(50, 120)));
    world.finger(1, Pointer::Up(BUTTON));
    world.finger(2, Pointer::Up(Point::new(50, 120)));
    assert_eq!(world.take_inputs(), [tapped("sell"), tapped("row 0")]);
}

/// Promise: a handle does the same when it is pulled its way as when it is tapped, once, and while the finger is still down.
#[test]
fn a_handle_is_pulled_or_tapped() {
    for (pull, way) in [(Pull::Up, -1), (Pull::Down, 1)] {
        let mut world = World::attached(&Screen { pull: Some(pull), ..Screen::default() });
        let moved = |dx: i32, dy: i32| Point::new(BUTTON.x + dx, BUTTON.y + dy * way);
        world.pointer(Pointer::Down(BUTTON));
        world.pointer(Pointer::Move(moved(0, 24)));
        assert!(world.take_inputs().is_empty() && world.client.pressed().is_some(), "not far enough yet");
        world.pointer(Pointer::Move(moved(2, 25)));
        assert_eq!(world.take_inputs(), [tapped("sell")]);
        world.pass(HOLD_MS * 2);
        world.pointer(Pointer::Move(moved(0, 60)));
        world.pointer(Pointer::Up(moved(0, 60)));
        assert!(world.take_inputs().is_empty(), "once");
        // Quick fingers are seen at few places.
        world.drag(BUTTON, moved(0, 50), 1, 0);
        assert_eq!(world.take_inputs(), [tapped("sell")]);
        world.tap(BUTTON);
        assert_eq!(world.take_inputs(), [tapped("sell")]);
        // The other way, or mostly sideways, is no pull.
        world.drag(BUTTON, moved(0, -50), 5, 0);
        world.drag(BUTTON, moved(60, 40), 5, 0);
        assert!(world.take_inputs().is_empty());
        world.check_canvas();
    }
}

#[test]
fn a_list_follows_the_finger_and_comes_to_rest() {
    let mut world = World::attached(&Screen::default());
    world.drag(Point::new(100, 240), Point::new(100, 140), 10, 200);
    world.pass(300);
    // The slop before the list takes hold is not scrolled.
    assert_eq!(world.offset(), 90);
    assert!(world.take_inputs().is_empty(), "no tap, and nobody needs to know where the list stands");
    world.check_canvas();
    world.tap(Point::new(100, 110));
    assert_eq!(world.take_inputs(), [tapped("row 2")], "what is seen is tapped");
}

#[test]
fn a_thrown_list_goes_on_within_its_ends() {
    let mut world = World::attached(&Screen::default());
    world.drag(Point::new(100, 250), Point::new(100, 150), 5, 0);
    let left = world.offset();
    assert!(world.client.is_moving());
    world.pass(60);
    world.check_canvas();
    assert!(world.offset() > left + 20);
    world.pass(5_000);
    assert!(!world.client.is_moving());
    world.check_canvas();
    world.drag(Point::new(100, 110), Point::new(100, 2_000), 5, 0);
    world.pass(5_000);
    assert_eq!(world.offset(), 0);
    assert!(world.take_inputs().is_empty());
}

#[test]
fn a_finger_on_a_moving_list_stops_it_and_taps_nothing() {
    let mut world = World::attached(&Screen::default());
    world.drag(Point::new(100, 250), Point::new(100, 150), 5, 0);
    world.pass(30);
    world.tap(Point::new(100, 180));
    let stopped_at = world.offset();
    assert!(!world.client.is_moving());
    world.pass(300);
    assert_eq!(world.offset(), stopped_at);
    assert!(world.take_inputs().is_empty());
}

/// Promise: a finger that the system takes away leaves the list where it is, and nobody else's finger does.
#[test]
fn a_drag_that_is_taken_away_leaves_the_list() {
    let mut world = World::attached(&Screen::default());
    world.pointer(Pointer::Down(Point::new(100, 240)));
    world.pointer(Pointer::Move(Point::new(100, 220)));
    world.pointer(Pointer::Move(Point::new(100, 200)));
    let dragged = world.offset();
    world.finger(2, Pointer::Cancel);
    world.pointer(Pointer::Move(Point::new(100, 190)));
    assert_eq!(world.offset(), dragged + 10, "another finger's cancel is not this one's");
    world.pointer(Pointer::Cancel);
    world.pointer(Pointer::Move(Point::new(100, 140)));
    world.pass(300);
    assert_eq!((world.offset(), world.client.is_moving()), (dragged + 10, false));
    assert!(world.take_inputs().is_empty());
}

#[test]
fn a_wheel_scrolls() {
    let mut world = World::attached(&Screen::default());
    for _ in 0..3 {
        world.client.wheel(Point::new(10, 110), 50);
        world.pass(30);
    }
    assert_eq!(world.offset(), 150);
    world.client.wheel(Point::new(10, 110), 100_000);
    assert_eq!(world.offset(), 20 * ROW_H - LIST.h);
    world.pass(200);
    assert!(world.take_inputs().is_empty());
}

/// Promise: what changes under a finger is not tapped by mistake.
#[test]
fn a_press_is_given_up_when_its_button_goes() {
    let mut world = World::attached(&Screen::default());
    world.pointer(Pointer::Down(BUTTON));
    world.show(&Screen { shade: 90, ..Screen::default() });
    world.check_canvas();
    world.pointer(Pointer::Up(BUTTON));
    assert_eq!(world.take_inputs(), [tapped("sell")], "it looks different, but it is the same button");
    world.pointer(Pointer::Down(BUTTON));
    world.show(&Screen { button: false, ..Screen::default() });
    world.check_canvas();
    world.pointer(Pointer::Up(BUTTON));
    assert!(world.take_inputs().is_empty());
}

#[test]
fn a_sheet_covers_what_lies_under_it() {
    let mut world = World::attached(&Screen { sheet: true, ..Screen::default() });
    let outline = world.client.outline();
    let names: Vec<&str> = outline.items.iter().map(|item| item.label.as_str()).collect();
    assert_eq!(names, ["dismiss", "done"]);
    world.drag(Point::new(180, 250), Point::new(180, 150), 5, 200);
    world.pass(500);
    assert_eq!(world.offset(), 0, "the list under the sheet does not move");
    world.take_inputs();
    world.tap(Point::new(60, 140));
    assert_eq!(world.take_inputs(), [tapped("done")]);
}

#[test]
fn the_outline_names_also_what_is_scrolled_away() {
    let mut world = World::attached(&Screen::default());
    let outline = world.client.outline();
    let last = outline.items.iter().find(|item| item.label == "row 19").unwrap();
    assert_eq!((last.area, last.rect.y), (Some(0), LIST.y + 19 * ROW_H));
    world.client.scroll_to(&action("list"), 10_000);
    world.pass(300);
    assert_eq!(world.offset(), 640);
    world.client.activate(world.now_ms, &action("row 19"));
    world.settle();
    assert_eq!(world.take_inputs(), [tapped("row 19")]);
}

#[test]
fn the_link_dot_answers_to_a_finger() {
    let mut world = World::attached(&Screen::default());
    world.tap(DOT);
    assert_eq!(world.events(), [Event::StatusAsked]);
    assert!(world.take_inputs().is_empty());
}

#[derive(Clone, Debug)]
enum Deed {
    Down(i32, i32),
    Move(i32, i32),
    Up(i32, i32),
    Wheel(i32, i32),
    Pass(u64),
    Show(u8, i32, bool, bool),
    Away,
    Back,
}

fn deed() -> impl Strategy<Value = Deed> {
    let (x, y) = (0..200, 0..320);
    prop_oneof![
        (x.clone(), y.clone()).prop_map(|(x, y)| Deed::Down(x, y)),
        (x.clone(), y.clone()).prop_map(|(x, y)| Deed::Move(x, y)),
        (x, y.clone()).prop_map(|(x, y)| Deed::Up(x, y)),
        (y, -100..100).prop_map(|(y, by)| Deed::Wheel(y, by)),
        (0_u64..400).prop_map(Deed::Pass),
        (any::<u8>(), 0..30, any::<bool>(), any::<bool>()).prop_map(|(a, b, c, d)| Deed::Show(a, b, c, d)),
        Just(Deed::Away),
        Just(Deed::Back),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Promise: painting only what changed shows what painting everything would show.
    #[test]
    fn damage_paints_like_everything(deeds in proptest::collection::vec(deed(), 1..60)) {
        let mut world = World::attached(&Screen::default());
        for deed in deeds {
            match deed {
                Deed::Down(x, y) => world.pointer(Pointer::Down(Point::new(x, y))),
                Deed::Move(x, y) => world.pointer(Pointer::Move(Point::new(x, y))),
                Deed::Up(x, y) => world.pointer(Pointer::Up(Point::new(x, y))),
                Deed::Wheel(y, by) => world.client.wheel(Point::new(100, y), by),
                Deed::Pass(ms) => world.pass(ms),
                Deed::Show(shade, rows, button, sheet) => {
                    let pull = [None, Some(Pull::Up), Some(Pull::Down)][usize::from(shade % 3)];
                    world.show(&Screen { shade, rows, button, sheet, pull, ..Screen::default() });
                }
                Deed::Away => world.disconnect(),
                Deed::Back => world.connect(),
            }
            world.check_canvas();
        }
    }
}
