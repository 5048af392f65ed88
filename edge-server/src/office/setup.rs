//! The first owner of a new box: names the place and chooses a PIN.
//!
//! Invariant: only from the box itself, by a name that can mean nothing else, and only while there is no owner; whoever comes first over the network must not own the box.

use axum::extract::{Extension, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tresen_identity::HashCost;
use tresen_ledger::Submission;
use tresen_till::{Command, Context, Manage, PinHash, Role, Site, Staff, StaffId, StationId};

use super::gate::{from_this_origin, refused};
use super::page::{self, draw, draw_with};
use super::staff::{hash, is_name, is_pin};
use super::texts::put;
use super::typed::Typed;
use super::views::{MessagePage, SetupPage};
use super::{Office, login, refusals};
use crate::net::home::is_at_home;
use crate::net::tcp::Peer;

/// The owner's id.
const FIRST: StaffId = StaffId(1);

/// What the form says.
#[derive(Default, Deserialize)]
pub(crate) struct Wanted {
    site: String,
    name: String,
    pin: Typed,
}

/// The form.
pub(crate) async fn show(
    State(office): State<Office>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    match closed(&office, peer, &headers) {
        Some(answer) => answer,
        None => draw(&page_of(&office, &headers, Wanted::default(), None)),
    }
}

/// Makes the first owner, who is then signed in.
pub(crate) async fn begin(
    State(office): State<Office>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Form(wanted): Form<Wanted>,
) -> Response {
    if !from_this_origin(&headers, peer.tls) {
        return refused(&office, &headers);
    }
    if let Some(answer) = closed(&office, peer, &headers) {
        return answer;
    }
    match make(&office, &headers, &wanted).await {
        Ok(()) => {
            tracing::info!(site = %wanted.site, "the box has an owner now");
            login::begin(&office, peer, FIRST)
        }
        Err(wrong) => {
            let page = page_of(&office, &headers, wanted, Some(wrong));
            draw_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// What those get for whom there is nothing to set up here.
fn closed(office: &Office, peer: Peer, headers: &HeaderMap) -> Option<Response> {
    if office.site.ledger.till().has_owner() {
        return Some(Redirect::to("/office/login").into_response());
    }
    if is_at_home(peer, headers) {
        return None;
    }
    let frame = office.door(headers, None);
    let (heading, hint) = (frame.t.setup.to_owned(), frame.t.setup_elsewhere.to_owned());
    Some(page::draw_with(StatusCode::FORBIDDEN, &MessagePage { frame, heading, hint }))
}

async fn make(office: &Office, headers: &HeaderMap, wanted: &Wanted) -> Result<(), String> {
    let (t, _) = page::Frame::texts_of(page::language(headers));
    if !is_name(&wanted.site) || !is_name(&wanted.name) {
        return Err(t.name_rule.to_owned());
    }
    if !is_pin(wanted.pin.text()) {
        return Err(t.pin_rule.to_owned());
    }
    let pin_hash = hash(&wanted.pin, HashCost::PIN).await.map_err(|error| put(t.problem, error))?;
    let site = Site {
        name: wanted.site.trim().into(),
        language: page::language(headers),
        ..office.site.ledger.till().site().clone()
    };
    let owner = Staff {
        id: FIRST,
        name: wanted.name.trim().into(),
        role: Role::Owner,
        pin_hash: PinHash::new(pin_hash).with_digits(wanted.pin.text().len()),
    };
    // The owner comes last: until there is one, everybody may manage.
    let commands = [Manage::PutSite(site), Manage::PutStaff(owner)].map(Command::Manage).into();
    let at = office.site.clock.now();
    let context = Context { staff: None, station: StationId(0), device: "office".into(), at };
    let made = office.submit(Submission { context, commands, mark: None, records: Vec::new() }).await;
    made.map_err(|error| refusals::of_ledger(t, &error).to_owned())
}

fn page_of(office: &Office, headers: &HeaderMap, wanted: Wanted, wrong: Option<String>) -> SetupPage {
    SetupPage { frame: office.door(headers, None), site: wanted.site, name: wanted.name, wrong }
}
