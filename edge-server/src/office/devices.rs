//! Devices: their names, their stations, and locking them out.

use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use tresen_identity::Fingerprint;
use tresen_till::Language;

use super::Office;
use super::gate::Visitor;
use super::page::{Flash, Frame, Place, draw, draw_with, fragment};
use super::stations::{class_name, explain};
use super::texts::{Texts, put};
use super::views::{DeviceFields, DeviceForm, DevicePage, DeviceRow, DevicesPage, StationChoice};
use crate::registry::{Device, DeviceKey, Snapshot};

/// All of them.
pub(crate) async fn list(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    let frame = visitor.frame(&office, Place::Devices);
    let snapshot = office.site.registry.snapshot();
    let row = |device: &Device| row_of(&office, &frame, &snapshot, device);
    let (revoked, rows): (Vec<&Device>, Vec<&Device>) =
        snapshot.devices.values().partition(|device| device.revoked);
    let mut rows: Vec<DeviceRow> = rows.into_iter().map(row).collect();
    let mut revoked: Vec<DeviceRow> = revoked.into_iter().map(row).collect();
    rows.sort_by(|one, two| one.name.cmp(&two.name));
    revoked.sort_by(|one, two| one.name.cmp(&two.name));
    draw(&DevicesPage { rows, revoked, frame })
}

/// One, to name and assign it.
pub(crate) async fn form(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Response {
    match known(&office, &id) {
        Some(device) => {
            let name = if device.confirmed { device.name.clone() } else { String::new() };
            draw(&page_of(&office, &visitor, &device, name, device.station, None))
        }
        None => office.not_found(&visitor),
    }
}

#[derive(Deserialize)]
pub(crate) struct Edited {
    name: String,
    /// A number, or nothing.
    station: String,
}

/// Names and assigns one.
pub(crate) async fn save(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Form(edited): Form<Edited>,
) -> Response {
    let Some(device) = known(&office, &id) else { return office.not_found(&visitor) };
    let station = edited.station.parse().ok();
    let registry = &office.site.registry;
    let mut saved = registry.rename_device(device.id, &edited.name).await;
    if saved.is_ok() {
        saved = registry.assign(device.id, station).await;
    }
    match saved {
        Ok(()) => {
            let (t, _) = visitor.texts();
            visitor.go(&office, "/office/devices", Flash::done(t.saved))
        }
        Err(error) => {
            let wrong = explain(visitor.texts().0, &error);
            let page = page_of(&office, &visitor, &device, edited.name, station, Some(wrong));
            draw_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Locks one out; its session ends at once.
pub(crate) async fn revoke(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Response {
    let Some(device) = known(&office, &id) else { return office.not_found(&visitor) };
    let (t, _) = visitor.texts();
    let flash = match office.site.registry.revoke(device.id).await {
        Ok(()) => {
            tracing::info!(device = %device.id.short(), by = %visitor.name, "a device was revoked");
            Flash::done(put(t.revoked, &device.name))
        }
        Err(error) => Flash::failed(explain(t, &error)),
    };
    visitor.go(&office, "/office/devices", flash)
}

/// Takes a revoked one off the list.
pub(crate) async fn remove(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Response {
    let Some(device) = known(&office, &id).filter(|device| device.revoked) else {
        return office.not_found(&visitor);
    };
    let (t, _) = visitor.texts();
    let flash = match office.site.registry.remove_device(device.id).await {
        Ok(()) => Flash::done(put(t.removed, &device.name)),
        Err(error) => Flash::failed(explain(t, &error)),
    };
    visitor.go(&office, "/office/devices", flash)
}

fn known(office: &Office, id: &str) -> Option<Device> {
    let id: Fingerprint = id.parse().ok()?;
    office.site.registry.snapshot().devices.get(&id).cloned()
}

fn row_of(office: &Office, frame: &Frame, snapshot: &Snapshot, device: &Device) -> DeviceRow {
    let t = frame.t;
    let question = if device.revoked { t.remove_device_question } else { t.revoke_question };
    DeviceRow {
        id: device.id.to_string(),
        name: device.name.clone(),
        fresh: !device.confirmed,
        key: key_text(t, device, device.id.short()),
        class: class_name(t, device.class),
        station: device.station.map(|number| station_label(snapshot, number)),
        online: office.online(device.id),
        last_seen: device.last_seen.map(|at| local(office, frame.language, at)),
        question: put(question, &device.name),
    }
}

fn page_of(
    office: &Office,
    visitor: &Visitor,
    device: &Device,
    name: String,
    station: Option<u16>,
    wrong: Option<String>,
) -> DevicePage {
    let frame = visitor.frame(office, Place::Devices);
    let snapshot = office.site.registry.snapshot();
    let form = DeviceForm {
        id: device.id.to_string(),
        name,
        suggestion: device.name.clone(),
        wrong,
        stations: choices(frame.t, &snapshot, device, station),
    };
    let fields = fragment(&DeviceFields { t: frame.t, csrf: frame.csrf.clone(), form });
    DevicePage {
        fields,
        class: class_name(frame.t, device.class),
        paired_at: local(office, frame.language, device.paired_at),
        last_seen: device.last_seen.map(|at| local(office, frame.language, at)),
        key: key_text(frame.t, device, device.id.to_string()),
        frame,
    }
}

/// Stations of the device's class, with who is there already.
fn choices(t: &Texts, snapshot: &Snapshot, device: &Device, chosen: Option<u16>) -> Vec<StationChoice> {
    let of_class = snapshot.seated().filter(|station| station.class == device.class);
    of_class
        .map(|station| {
            let label = station_label(snapshot, station.number);
            let taken = snapshot.assigned_to(station.number).any(|other| other.id != device.id);
            StationChoice {
                number: station.number,
                label: if taken { put(t.station_taken, label) } else { label },
                chosen: chosen == Some(station.number),
            }
        })
        .collect()
}

fn station_label(snapshot: &Snapshot, number: u16) -> String {
    match snapshot.stations.get(&number) {
        Some(station) => format!("{number} · {}", station.name),
        None => number.to_string(),
    }
}

fn key_text(t: &Texts, device: &Device, fingerprint: String) -> String {
    match device.key {
        DeviceKey::Certificate | DeviceKey::Browser => fingerprint,
        DeviceKey::Loopback => t.this_machine.to_owned(),
    }
}

/// Date and time as people at the site write them.
fn local(office: &Office, language: Language, at: Timestamp) -> String {
    let local = office.site.ledger.till().site().local(at);
    let form = match language {
        Language::De => "%d.%m.%Y, %H:%M",
        Language::En => "%-d %b %Y, %H:%M",
    };
    local.strftime(form).to_string()
}
