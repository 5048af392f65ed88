//! Where on a client's screen a step of a script is done.

use tresen_client::{Client, Item, ItemKind, Outline};
use tresen_scene::{Point, Rect, Role};

use crate::handheld::script::Step;

/// Where what has the step's name is, see [`named`]. Scrolls to it.
pub fn find(client: &mut Client, step: Step) -> Option<Point> {
    let Outline { areas, items } = client.outline();
    let item = named(&items, step)?;
    let mut rect = item.rect;
    if let Some(area) = item.area.map(|area| &areas[area])
        && rect.intersect(area.rect) != rect
    {
        let wished = area.offset + rect.y - area.rect.y - (area.rect.h - rect.h) / 2;
        let offset = wished.clamp(0, (area.content_h - area.rect.h).max(0));
        client.scroll_to(&area.action, offset);
        rect.y -= offset - area.offset;
    }
    Some(centre(rect))
}

/// What has the step's name: exactly this name, else one that begins with it and a space or comma.
pub fn named(items: &[Item], step: Step) -> Option<&Item> {
    let (Step::Tap(name) | Step::Key(name)) = step;
    let suits = |item: &&Item| {
        let touch = matches!(item.kind, ItemKind::Touch { .. });
        touch && (item.role == Role::Key) == matches!(step, Step::Key(_))
    };
    let begins =
        |item: &&Item| item.label.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', ',']));
    let exact = |item: &&Item| item.label == name;
    items.iter().filter(suits).find(exact).or_else(|| items.iter().filter(suits).find(begins))
}

/// The middle of a rectangle.
pub const fn centre(rect: Rect) -> Point {
    Point::new(rect.x + rect.w / 2, rect.y + rect.h / 2)
}
