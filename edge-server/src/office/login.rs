//! Signing in and out, and the choice of language.
//!
//! A wrong PIN counts in the ledger like one at a handheld: per device (here: the address it comes from) and per person, across restarts.

use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use tresen_identity::verify_password;
use tresen_ledger::{Submission, SubmitError};
use tresen_till::{
    Command, Context, LoginOutcome, OFFICE_DEVICE, Permission, Refusal, Staff, StaffId, StationId, Throttle,
};
use zeroize::Zeroizing;

use super::gate::{SESSION_COOKIE, Visitor, from_this_origin, refused};
use super::page::{self, Flash, LANGUAGE_COOKIE, draw, draw_with};
use super::session::LONGEST_MS;
use super::texts::{Texts, put};
use super::typed::Typed;
use super::views::{LoginPage, OwnerChoice};
use super::{Office, refusals};
use crate::net::tcp::Peer;

/// Kind of the records that hold the passwords of those who chose one; the key is the id of the person.
pub(crate) const PASSWORD_KIND: &str = "office-password";

/// The choice of a language lasts a year.
const LANGUAGE_S: u64 = 365 * 24 * 60 * 60;

/// What the door is told.
#[derive(Deserialize)]
pub(crate) struct Key {
    staff: u32,
    pin: Typed,
}

/// Why somebody stays outside.
enum Stays {
    /// Name and PIN don't fit.
    Wrong,
    /// Too many tries.
    Throttled(jiff::Timestamp),
    /// The try could not be recorded.
    Ledger(SubmitError),
}

#[derive(Deserialize)]
pub(crate) struct Arrival {
    out: Option<String>,
}

/// The page with the PIN.
pub(crate) async fn show(
    State(office): State<Office>,
    Query(arrival): Query<Arrival>,
    headers: HeaderMap,
) -> Response {
    if !office.site.ledger.till().has_owner() {
        return Redirect::to("/office/setup").into_response();
    }
    let (t, _) = page::Frame::texts_of(page::language(&headers));
    let flash = arrival.out.map(|_| Flash::done(t.signed_out));
    draw(&page_of(&office, &headers, flash, None, None))
}

/// Somebody tries a PIN.
pub(crate) async fn enter(
    State(office): State<Office>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Form(key): Form<Key>,
) -> Response {
    if !from_this_origin(&headers, peer.tls) {
        return refused(&office, &headers);
    }
    let staff = StaffId(key.staff);
    match admit(&office, peer, staff, key.pin).await {
        Ok(()) => begin(&office, peer, staff),
        Err(stays) => {
            let (t, _) = page::Frame::texts_of(page::language(&headers));
            let (status, text) = explain(&office, t, stays);
            draw_with(status, &page_of(&office, &headers, None, Some(staff), Some(text)))
        }
    }
}

/// Signs out.
pub(crate) async fn leave(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    office.sessions.end(&visitor.session.name);
    let gone = format!("{SESSION_COOKIE}=; Path=/office; HttpOnly; SameSite=Strict; Max-Age=0");
    (AppendHeaders([(SET_COOKIE, gone)]), Redirect::to("/office/login?out=1")).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Back {
    back: Option<String>,
}

/// Chooses a language and goes back.
pub(crate) async fn language(Path(code): Path<String>, Query(Back { back }): Query<Back>) -> Response {
    let Some(_) = page::language_of(&code) else { return StatusCode::NOT_FOUND.into_response() };
    let chosen = format!("{LANGUAGE_COOKIE}={code}; Path=/; SameSite=Lax; Max-Age={LANGUAGE_S}");
    let back = back.filter(|path| path == "/office" || path.starts_with("/office/"));
    (AppendHeaders([(SET_COOKIE, chosen)]), Redirect::to(back.as_deref().unwrap_or("/office")))
        .into_response()
}

async fn admit(office: &Office, peer: Peer, id: StaffId, pin: Typed) -> Result<(), Stays> {
    let _one_at_a_time = office.trying.lock().await;
    let staff = office.insider(id).ok_or(Stays::Wrong)?;
    let device = format!("{OFFICE_DEVICE}{}", peer.address.ip().to_canonical());
    let now = office.site.clock.now();
    if let Throttle::Locked { until } = office.site.ledger.till().throttle(id, &device, now) {
        return Err(Stays::Throttled(until));
    }
    let hash = secret_hash(office, &staff);
    let fits = tokio::task::spawn_blocking(move || verify_password(pin.text(), &hash)).await.unwrap_or(false);
    let outcome = if fits { LoginOutcome::Success } else { LoginOutcome::WrongPin };
    let context = Context { staff: None, station: StationId(0), device: device.into(), at: now };
    let commands = vec![Command::RecordLogin { staff: id, outcome }];
    match office.submit(Submission { context, commands, mark: None, records: Vec::new() }).await {
        Ok(()) if fits => Ok(()),
        Ok(()) => {
            tracing::warn!(staff = %staff.name, address = %peer.address.ip(), "wrong PIN at the back office");
            Err(Stays::Wrong)
        }
        Err(SubmitError::Refused(Refusal::Throttled { until })) => Err(Stays::Throttled(until)),
        Err(SubmitError::Refused(_)) => Err(Stays::Wrong),
        Err(error) => Err(Stays::Ledger(error)),
    }
}

/// What has to fit: the password of the back office when the person chose one, else the PIN.
fn secret_hash(office: &Office, staff: &Staff) -> String {
    let key = staff.id.to_string();
    let password = office.site.ledger.record(PASSWORD_KIND, &key);
    password
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| staff.pin_hash.reveal().to_owned())
}

/// Signs somebody in who has shown who it is.
pub(crate) fn begin(office: &Office, peer: Peer, staff: StaffId) -> Response {
    let mut random = Zeroizing::new([0; 64]);
    if let Err(error) = getrandom::fill(random.as_mut_slice()) {
        tracing::error!(%error, "no randomness for a session");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let token = office.sessions.begin(office.site.clock.now_ms(), staff, &random);
    let secure = if peer.tls { "; Secure" } else { "" };
    let longest_s = LONGEST_MS / 1000;
    let cookie = format!(
        "{SESSION_COOKIE}={token}; Path=/office; HttpOnly; SameSite=Strict; Max-Age={longest_s}{secure}"
    );
    (AppendHeaders([(SET_COOKIE, cookie)]), Redirect::to("/office")).into_response()
}

fn explain(office: &Office, t: &Texts, stays: Stays) -> (StatusCode, String) {
    match stays {
        Stays::Wrong => (StatusCode::UNPROCESSABLE_ENTITY, t.wrong_pin.to_owned()),
        Stays::Throttled(until) => {
            let left_s = until.duration_since(office.site.clock.now()).as_secs().max(0) + 1;
            let left = match left_s {
                ..100 => put(t.seconds, left_s),
                _ => put(t.minutes, (left_s + 59) / 60),
            };
            (StatusCode::TOO_MANY_REQUESTS, put(t.throttled, left))
        }
        Stays::Ledger(error) => (StatusCode::SERVICE_UNAVAILABLE, refusals::of_ledger(t, &error).to_owned()),
    }
}

fn page_of(
    office: &Office,
    headers: &HeaderMap,
    flash: Option<Flash>,
    chosen: Option<StaffId>,
    wrong: Option<String>,
) -> LoginPage {
    let till = office.site.ledger.till();
    let owners = till
        .staff()
        .filter(|staff| staff.role.may(Permission::ViewOffice))
        .map(|staff| OwnerChoice {
            id: staff.id.0,
            name: staff.name.to_string(),
            chosen: chosen == Some(staff.id),
        })
        .collect();
    LoginPage { frame: office.door(headers, flash), owners, wrong }
}
