//! Promises of answers that the client gives by itself: at once, marked until they are confirmed, painted like everything else.

use std::sync::Arc;

use tresen_scene::*;
use tresen_session::Foresight;
use tresen_wire::Input;

use crate::world::{BUTTON, LIST, LOOK, ROW_H, Screen, World, action, namer};
use tresen_client::Pointer;

/// Where the guessed screen has an amount that others may change, and where it has one that is scrolled half away.
const AMOUNT: Rect = Rect::new(20, 66, 40, 20);

/// A screen that shows an amount on its button, and another in its list.
fn with_amounts(shade: u8) -> Arc<Node> {
    let screen = Screen { shade, ..Screen::default() }.root();
    let mut ops = screen.ops().to_vec();
    ops.push(Op::Label(Label { rect: AMOUNT, role: Role::Shared, text: None }));
    Node::new(&namer(), 2, ops)
}

/// What the world's client shows now, against painting all of it anew without marks.
fn differs(world: &mut World) -> Vec<Point> {
    world.client.paint(world.now_ms);
    let mut whole = Canvas::new(Size::new(LOOK.width_px as i32, LOOK.height_px as i32));
    let all = Rect::of_size(whole.size());
    let root = world.client.root().expect("a screen").clone();
    whole.paint(&root, &[all], world.client.scrolls(), None);
    let (shown, plain) = (world.client.canvas(), &whole);
    let points = (56..320).flat_map(|y| (0..200).map(move |x| Point::new(x, y)));
    points.filter(|at| pixel(shown, *at) != pixel(plain, *at)).collect()
}

fn pixel(canvas: &Canvas, at: Point) -> u32 {
    canvas.pixels()[(at.y * canvas.size().w + at.x) as usize]
}

fn guess(world: &mut World, root: &Arc<Node>) {
    let base = world.client.root().expect("a screen").id();
    let tap = Input::Tap(action("sell"));
    world.sender.guess(world.now_ms, &Foresight::answer(base, &tap, root), usize::MAX).expect("a guess");
    world.settle();
}

/// Promise: a guessed tap shows its answer with the finger's leaving, an amount that others may change is marked, and the mark goes with the confirmation.
#[test]
fn a_guess_is_marked_until_it_is_confirmed() {
    let mut world = World::attached(&Screen::default());
    let answer = with_amounts(90);
    guess(&mut world, &answer);
    world.silent = true;
    world.tap(BUTTON);
    assert_eq!(world.client.root().map(|root| root.id()), Some(answer.id()));
    let marked = differs(&mut world);
    assert!(!marked.is_empty() && marked.iter().all(|at| AMOUNT.contains(*at)), "{marked:?}");
    world.silent = false;
    world.sender.show_as_of(answer.clone(), 0);
    world.settle();
    assert_eq!(world.take_inputs(), [Input::Tap(action("sell"))]);
    world.sender.show(answer.clone());
    world.settle();
    assert!(!world.client.is_guess());
    assert_eq!(differs(&mut world), [], "nothing marks what is confirmed");
    let report = world.client.report(world.now_ms).to_string();
    assert!(report.starts_with("hit 1 miss 0"), "{report}");
}

/// Promise: a guess that was wrong is corrected by what the server shows, pixel by pixel.
#[test]
fn a_wrong_guess_leaves_nothing_behind() {
    let mut world = World::attached(&Screen::default());
    guess(&mut world, &with_amounts(90));
    world.silent = true;
    world.tap(BUTTON);
    world.client.paint(world.now_ms);
    world.silent = false;
    world.settle();
    let truth = Screen { shade: 7, rows: 5, ..Screen::default() };
    world.show(&truth);
    assert_eq!(world.client.root().map(|root| root.id()), Some(truth.root().id()));
    assert_eq!(differs(&mut world), []);
}

/// Promise: scrolling never waits, and a list stays where it is when a guess is shown and when it is corrected.
#[test]
fn a_list_stays_where_it_is() {
    let mut world = World::attached(&Screen::default());
    world.silent = true;
    world.drag(Point::new(100, 240), Point::new(100, 240 - 2 * ROW_H), 5, 200);
    let offset = world.offset();
    assert!(offset > ROW_H, "it moved without the server");
    world.silent = false;
    world.settle();
    guess(&mut world, &with_amounts(90));
    world.silent = true;
    world.tap(BUTTON);
    assert!(world.client.is_guess() && world.offset() == offset);
    world.silent = false;
    world.settle();
    world.show(&Screen { shade: 7, ..Screen::default() });
    assert_eq!(world.offset(), offset);
    assert!(LIST.contains(Point::new(100, 240)));
    world.pointer(Pointer::Cancel);
}

/// Promise: without a link the server's screen is shown, and what was tapped is sent again.
#[test]
fn a_break_shows_the_servers_screen() {
    let mut world = World::attached(&Screen::default());
    let before = world.client.root().map(|root| root.id());
    guess(&mut world, &with_amounts(90));
    world.silent = true;
    world.tap(BUTTON);
    world.disconnect();
    assert_eq!(world.client.root().map(|root| root.id()), before);
    assert_eq!(differs(&mut world), []);
    world.silent = false;
    world.connect();
    assert_eq!(world.take_inputs(), [Input::Tap(action("sell"))]);
}
