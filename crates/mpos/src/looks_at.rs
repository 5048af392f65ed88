//! What of the till a screen shows, so that nobody draws it anew for what it does not show.
//!
//! Invariant: what no topic of a screen covers changes neither its picture nor what the app does about a change
//! ([`crate::Message::Changed`]). `tests/chaos.rs` holds it against whatever happens.

use tresen_scene::Size;
use tresen_till::{Place, Topic};

use crate::app::{App, Screen};
use crate::notice::Notice;
use crate::ui::Kit;
use crate::{TableFilter, World, view};

/// The topics of the screen that [`crate::view`] draws of the same arguments. Site, catalogue, photos, floor and staff go without saying.
pub fn looks_at(app: &App, world: &World, kit: &Kit, size: Size) -> Vec<Topic> {
    let mut topics = match &app.screen {
        Screen::People => Vec::new(),
        Screen::Pin(_) => vec![Topic::WrongPins],
        Screen::Tables => {
            let direct = Topic::Place(Place::Direct(world.station));
            let shown = match view::filter(app, world, kit, size) {
                Some(TableFilter::Area(area)) => Some(Topic::Area(area)),
                Some(TableFilter::Mine) => app.staff.map(Topic::TablesOf),
                Some(TableFilter::All) => Some(Topic::Tables),
                None => None,
            };
            shown.into_iter().chain([direct]).collect()
        }
        Screen::Order(order) => vec![order.target.into()],
        Screen::Pay(pay) => vec![Topic::Check(pay.check), pay.order.target.into()],
        Screen::Receipt(number) => vec![Topic::Receipt(*number)],
    };
    if let Some(Notice::Sent { target }) = app.toast.as_ref().map(|toast| &toast.notice) {
        topics.push((*target).into());
    }
    topics
}
