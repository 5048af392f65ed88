//! Keys, scanners, text, and connections that come and go.

use tresen_client::{Event, KeyPress, Link, Path, WAITING_MS};
use tresen_scene::{Point, Size};
use tresen_wire::{CloseCode, Input, Key, Theme, limits};

use crate::world::*;

fn tapped(name: &str) -> Input {
    Input::Tap(action(name))
}

/// Promise: a scanner's code arrives as one scan, a person's digits as keys.
#[test]
fn a_scanner_scans_and_a_person_types() {
    let mut world = World::attached(&Screen::default());
    world.type_text("4006381333931", 4);
    assert_eq!(world.take_inputs(), [Input::Scan("4006381333931".into())]);
    world.type_text("12", 150);
    let digits = [Key::Digit(1), Key::Digit(2), Key::Enter];
    assert_eq!(world.take_inputs(), digits.map(Input::Key));
    world.client.key(world.now_ms, KeyPress::Back);
    world.settle();
    assert_eq!(world.take_inputs(), [Input::Key(Key::Back)]);
}

#[test]
fn a_field_is_edited_and_left() {
    let mut world = World::attached(&Screen::default());
    world.tap(FIELD);
    assert_eq!(world.events(), [Event::EditingChanged]);
    world.client.edit(world.now_ms, "well");
    world.settle();
    let text = |text: &str| Input::Text { action: action("note"), text: text.into() };
    assert_eq!(world.take_inputs(), [text("well")]);
    world.show(&Screen { value: "well".into(), ..Screen::default() });
    assert_eq!(world.client.editing().unwrap().text, "well");
    world.client.key(world.now_ms, KeyPress::Erase);
    world.type_text("k", 100);
    assert_eq!(world.take_inputs(), [text("wel"), text("welk")]);
    assert!(world.client.editing().is_none(), "Enter leaves the field");
    world.tap(FIELD);
    world.tap(BUTTON);
    assert_eq!(world.take_inputs(), [tapped("sell")]);
    assert!(world.client.editing().is_none(), "a tap elsewhere leaves it too");
    world.tap(FIELD);
    world.show(&Screen { field: false, ..Screen::default() });
    assert!(world.client.editing().is_none(), "and so does a screen without it");
}

/// Promise: a connection that takes another way shows it at once, and nothing else changes.
#[test]
fn another_way_is_shown() {
    let mut world = World::attached(&Screen::default());
    let before = world.client.root().unwrap().id();
    let shown =
        [(Path::Relayed, Link::Relayed), (Path::Internet, Link::Internet), (Path::Direct, Link::Direct)];
    for (path, link) in shown {
        world.client.set_path(path);
        assert_eq!(world.client.link(world.now_ms), link);
        assert!(!world.client.paint(world.now_ms).is_empty(), "the dot has another colour");
    }
    assert_eq!(world.client.root().unwrap().id(), before);
    world.tap(BUTTON);
    assert_eq!(world.take_inputs(), [tapped("sell")]);
}

/// Promise: without a link the last screen stays and the dot says so; what is tapped then arrives afterwards, once.
#[test]
fn taps_without_a_link_arrive_afterwards() {
    let mut world = World::attached(&Screen::default());
    assert_eq!(world.client.link(world.now_ms), Link::Direct);
    world.disconnect();
    assert_eq!(world.client.link(world.now_ms), Link::Away);
    world.check_canvas();
    let before = world.client.root().unwrap().id();
    for _ in 0..3 {
        world.tap(BUTTON);
    }
    assert_eq!(world.client.root().unwrap().id(), before);
    assert!(world.inputs.is_empty());
    assert_eq!(world.client.unacknowledged(), 3);
    world.connect();
    assert_eq!(world.take_inputs(), [tapped("sell"), tapped("sell"), tapped("sell")]);
    assert_eq!(world.client.unacknowledged(), 0);
    assert_eq!(world.client.link(world.now_ms), Link::Direct);
    world.disconnect();
    world.connect();
    assert!(world.take_inputs().is_empty());
    world.check_canvas();
}

/// Promise: what waits for the server is bounded, and the person is told.
#[test]
fn too_many_waiting_taps_are_refused() {
    let mut world = World::attached(&Screen::default());
    world.disconnect();
    for _ in 0..limits::INPUTS_OPEN {
        world.tap(BUTTON);
    }
    assert!(world.events().is_empty());
    world.tap(BUTTON);
    assert_eq!(world.events(), [Event::Full]);
    world.connect();
    assert_eq!(world.take_inputs().len() as u64, limits::INPUTS_OPEN);
}

/// Promise: a reconnect with a warm table shows the newest screen after at most 500 bytes.
#[test]
fn a_reconnect_is_small() {
    let mut world = World::attached(&Screen::default());
    world.disconnect();
    world.sender.show(Screen { shade: 60, ..Screen::default() }.root());
    let before = world.sender.stats().bytes;
    world.connect();
    assert_eq!(world.client.root(), Some(&Screen { shade: 60, ..Screen::default() }.root()));
    let bytes = world.sender.stats().bytes - before;
    assert!(bytes <= 500, "{bytes}");
    world.check_canvas();
}

/// Promise: a server that fell silent is noticed within seconds of a tap, without anybody telling.
#[test]
fn a_silent_server_makes_the_link_slow_and_then_ends_it() {
    let mut world = World::attached(&Screen::default());
    world.silent = true;
    world.tap(BUTTON);
    let start_ms = world.now_ms;
    let mut slow_ms = None;
    let gone = (0..20_000).find_map(|_| {
        world.now_ms = world.client.poll_timeout().map_or(world.now_ms + 16, |at| at.max(world.now_ms + 1));
        let gone = world.client.handle_timeout(world.now_ms).err();
        if world.client.link(world.now_ms) == Link::Slow {
            slow_ms.get_or_insert(world.now_ms - start_ms);
        }
        gone
    });
    assert_eq!(gone, Some(CloseCode::TimedOut));
    let slow_ms = slow_ms.unwrap();
    assert!((1_000..3_000).contains(&slow_ms), "amber after {slow_ms} ms");
    let gone_ms = world.now_ms - start_ms;
    assert!(gone_ms < 5_000, "given up after {gone_ms} ms");
    world.silent = false;
    world.disconnect();
    world.connect();
    assert_eq!(world.take_inputs(), [tapped("sell")]);
}

/// Promise: a server that takes its time shows as a moving line, and nothing is blocked.
#[test]
fn waiting_shows_and_blocks_nothing() {
    let mut world = World::attached(&Screen::default());
    world.confirms = false;
    world.tap(BUTTON);
    world.pass(WAITING_MS - 50);
    assert!(!world.client.is_moving());
    world.pass(100);
    assert!(world.client.is_moving(), "a line moves");
    assert_ne!(world.reference().pixels(), world.client.canvas().pixels());
    world.confirms = true;
    world.tap(BUTTON);
    assert_eq!(world.take_inputs().len(), 2);
    world.pass(20);
    assert!(!world.client.is_moving());
    world.check_canvas();
}

#[test]
fn a_goodbye_is_told_with_its_reason() {
    let mut world = World::attached(&Screen::default());
    world.say_bye(CloseCode::Revoked);
    assert_eq!(world.events(), [Event::Closed { code: CloseCode::Revoked, text: "".into() }]);
}

#[test]
fn another_look_is_told_and_painted() {
    let mut world = World::attached(&Screen::default());
    let look = tresen_wire::Look { width_px: 320, height_px: 200, theme: Theme::Dark, ..LOOK };
    world.client.set_look(look);
    world.client.paint(world.now_ms);
    let canvas = world.client.canvas();
    assert_eq!(canvas.size(), Size::new(320, 200));
    assert_eq!(
        canvas.pixels()[310],
        0xFF14_1210,
        "the ground of the theme where the old screen does not reach"
    );
    world.settle();
    world.tap(Point::new(50, 80));
    assert_eq!(world.take_inputs(), [tapped("sell")]);
}
