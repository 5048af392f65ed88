//! Pairing: shows the code, waits for the device, and goes on to naming it.

use axum::extract::{Extension, Form, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::Deserialize;
use tresen_identity::DeviceClass;

use super::Office;
use super::gate::Visitor;
use super::page::{Flash, Place, draw, fragment};
use super::texts::{Texts, put};
use super::views::{PairPage, PairState, PairStatePart, ShownCode};
use crate::registry::Device;

/// Asks what is to be paired.
pub(crate) async fn show(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    draw(&PairPage { frame: visitor.frame(&office, Place::Devices), shown: None })
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    class: DeviceClass,
}

/// Opens pairing and shows the code.
pub(crate) async fn open(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Form(wanted): Form<Wanted>,
) -> Response {
    let code = match office.site.pairing.open(&office.site.clock, wanted.class) {
        Ok(code) => code,
        Err(error) => {
            let failed = Flash::failed(put(visitor.texts().0.problem, error));
            return visitor.go(&office, "/office/devices", failed);
        }
    };
    tracing::info!(by = %visitor.name, class = %wanted.class, "pairing is open");
    let frame = visitor.frame(&office, Place::Devices);
    let state = state_part(&office, frame.t);
    let link = office.site.pairing.link_from_anywhere(&code);
    let text = code.to_string();
    draw(&PairPage { shown: Some(ShownCode { qr: qr(&text), text, link, state }), frame })
}

/// What became of the code; asked every second. Goes to the device's page once it is there.
pub(crate) async fn status(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    let (t, _) = visitor.texts();
    if office.site.pairing.remaining_ms(&office.site.clock).is_none()
        && let Some(device) = newest(&office)
    {
        office.sessions.leave(&visitor.session.name, Flash::done(t.pair_done_hint));
        let page = format!("/office/devices/{}", device.id);
        return match visitor.headers.contains_key("hx-request") {
            true => [("hx-redirect", page)].into_response(),
            false => Redirect::to(&page).into_response(),
        };
    }
    Html(state_part(&office, t)).into_response()
}

/// The device that came last and that nobody has named yet.
fn newest(office: &Office) -> Option<Device> {
    let snapshot = office.site.registry.snapshot();
    let fresh = snapshot.devices.values().filter(|device| !device.confirmed && !device.revoked);
    fresh.max_by_key(|device| device.paired_at).cloned()
}

fn state_part(office: &Office, t: &'static Texts) -> String {
    let state = match office.site.pairing.remaining_ms(&office.site.clock) {
        Some(left_ms) => {
            let left_s = left_ms.div_ceil(1000);
            PairState::Waiting { left: put(t.pair_left, format!("{}:{:02}", left_s / 60, left_s % 60)) }
        }
        None => PairState::Over,
    };
    fragment(&PairStatePart { t, state })
}

/// The code as an SVG, without the head of a file.
fn qr(text: &str) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else { return String::new() };
    let file = code.render::<svg::Color>().build();
    file.find("<svg").map_or_else(String::new, |start| file[start..].to_owned())
}
