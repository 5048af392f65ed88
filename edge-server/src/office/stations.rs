//! Stations: number, name, class, who is assigned.

use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tresen_identity::DeviceClass;

use super::Office;
use super::gate::Visitor;
use super::page::{Flash, Place, draw, draw_with};
use super::texts::Texts;
use super::views::{StationPage, StationRow, StationsPage};
use crate::registry::{RegistryError, Station};

/// All of them.
pub(crate) async fn list(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    let frame = visitor.frame(&office, Place::Stations);
    let snapshot = office.site.registry.snapshot();
    let row = |station: &Station| {
        let names: Vec<&str> =
            snapshot.assigned_to(station.number).map(|device| device.name.as_str()).collect();
        StationRow {
            number: station.number,
            name: station.name.clone(),
            class: class_name(frame.t, station.class),
            seated: station.seated,
            devices: names.join(", "),
        }
    };
    let rows = snapshot.stations.values().map(row).collect();
    draw(&StationsPage { rows, frame })
}

/// One, to rename it.
pub(crate) async fn form(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u16>,
) -> Response {
    match page_of(&office, &visitor, number) {
        Some(page) => draw(&page),
        None => office.not_found(&visitor),
    }
}

#[derive(Deserialize)]
pub(crate) struct NewName {
    name: String,
}

/// Renames one.
pub(crate) async fn rename(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u16>,
    Form(form): Form<NewName>,
) -> Response {
    let Some(mut page) = page_of(&office, &visitor, number) else { return office.not_found(&visitor) };
    match office.site.registry.rename_station(number, &form.name).await {
        Ok(()) => visitor.go(&office, "/office/stations", Flash::done(page.frame.t.saved)),
        Err(error) => {
            page.wrong = Some(explain(page.frame.t, &error));
            page.name = form.name;
            draw_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

fn page_of(office: &Office, visitor: &Visitor, number: u16) -> Option<StationPage> {
    let snapshot = office.site.registry.snapshot();
    let station = snapshot.stations.get(&number)?;
    let frame = visitor.frame(office, Place::Stations);
    let class = class_name(frame.t, station.class);
    Some(StationPage { frame, number, name: station.name.clone(), class, wrong: None })
}

/// What people call a class.
pub(crate) const fn class_name(t: &Texts, class: DeviceClass) -> &'static str {
    match class {
        DeviceClass::Mpos => t.class_mpos,
        DeviceClass::Paypos => t.class_paypos,
    }
}

/// Why the registry refused, in words for the page.
pub(crate) fn explain(t: &Texts, error: &RegistryError) -> String {
    match error {
        RegistryError::Name => t.name_rule.to_owned(),
        RegistryError::OtherClass { .. } => t.other_class.to_owned(),
        RegistryError::Licence(error) => super::licence::explain(t, error),
        RegistryError::Ledger(error) => super::refusals::of_ledger(t, error).to_owned(),
        RegistryError::UnknownDevice | RegistryError::UnknownStation(_) => t.not_found_hint.to_owned(),
        RegistryError::Full => t.too_many_devices.to_owned(),
    }
}
