//! The back office: web pages for the owner, drawn on the server; htmx refreshes what is live.
//!
//! [`gate`] stands before every page: nobody comes in without a session of an owner (or a manager, who may look but change nothing), and
//! nothing changes without the session's token from a page of this origin. Handlers read [`Site`], fill in [`views`] and draw them.
//!
//! Not for: deciding anything. What may be done with stations and devices decides the registry, with staff the till.

mod assets;
mod catalogue;
mod chart;
mod devices;
mod former;
mod gate;
mod licence;
mod login;
mod network;
mod overview;
mod page;
mod pairing;
mod photo;
mod refusals;
mod session;
mod setup;
mod staff;
mod stations;
mod texts;
mod thumbnail;
mod typed;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::civil::Date;
use tokio::sync::Mutex;
use tresen_ledger::{Record, Submission, SubmitError};
use tresen_till::{Command, Context, Manage, Permission, Staff, StaffId, StationId};

use crate::site::Site;
use gate::Visitor;
use page::{Flash, Frame, Place};
pub(crate) use photo::is_upload;
use session::Sessions;
use thumbnail::Thumbnails;
use views::MessagePage;

/// Longest form of somebody who is not logged in, in bytes.
const MAX_FORM_BYTES: usize = 4 * 1024;

/// What the pages share.
#[derive(Clone)]
pub(crate) struct Office {
    site: Arc<Site>,
    sessions: Arc<Sessions>,
    thumbnails: Arc<Thumbnails>,
    /// Held while a PIN is tried: one after the other, so that the throttle counts each.
    trying: Arc<Mutex<()>>,
    uploads: photo::Uploads,
}

/// Its pages; merged into the server's router.
pub fn router(site: Arc<Site>) -> Router {
    let office = Office {
        site,
        sessions: Arc::default(),
        thumbnails: Arc::default(),
        trying: Arc::default(),
        uploads: photo::Uploads::default(),
    };
    let picture = DefaultBodyLimit::max(photo::MAX_BODY_BYTES);
    let inside = Router::new()
        .route("/office", get(overview::show))
        .route("/office/live", get(overview::live))
        .route("/office/instances/{number}/screen.png", get(thumbnail::show))
        .route("/office/stations", get(stations::list))
        .route("/office/stations/{number}", get(stations::form).post(stations::rename))
        .route("/office/devices", get(devices::list))
        .route("/office/devices/pair", get(pairing::show).post(pairing::open))
        .route("/office/devices/pair/status", get(pairing::status))
        .route("/office/devices/{id}", get(devices::form).post(devices::save))
        .route("/office/devices/{id}/revoke", post(devices::revoke))
        .route("/office/devices/{id}/remove", post(devices::remove))
        .route("/office/network", get(network::show))
        .route("/office/network/live", get(network::live))
        .route("/office/catalogue", get(catalogue::list))
        .route("/office/catalogue/{id}", get(catalogue::form).post(catalogue::save))
        .route("/office/catalogue/{id}/photo", post(photo::upload).layer(picture))
        .route("/office/catalogue/{id}/photo/remove", post(photo::remove))
        .route("/office/photos/{name}", get(photo::show))
        .route("/office/licence", get(licence::show).post(licence::upload))
        .route("/office/staff", get(staff::list))
        .route("/office/staff/new", get(staff::new_form).post(staff::add))
        .route("/office/staff/{id}", get(staff::form).post(staff::save))
        .route("/office/staff/{id}/remove", post(staff::remove))
        .route("/office/staff/{id}/return", get(staff::return_form).post(staff::bring_back))
        .route("/office/logout", post(login::leave))
        .route("/office/{*rest}", get(nothing))
        .layer(middleware::from_fn_with_state(office.clone(), gate::gate));
    let small = DefaultBodyLimit::max(MAX_FORM_BYTES);
    Router::new()
        .route("/office/login", get(login::show).post(login::enter).layer(small))
        .route("/office/setup", get(setup::show).post(setup::begin).layer(small))
        .route("/office/language/{code}", get(login::language))
        .route("/office/assets/{name}", get(assets::serve))
        .merge(inside)
        .layer(middleware::from_fn(gate::guard_headers))
        .with_state(office)
}

async fn nothing(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    office.not_found(&visitor)
}

impl Office {
    /// A person who may come in.
    pub(crate) fn insider(&self, id: StaffId) -> Option<Staff> {
        let till = self.site.ledger.till();
        till.staff_member(id).filter(|staff| staff.role.may(Permission::ViewOffice)).cloned()
    }

    pub(crate) fn site_name(&self) -> String {
        self.site.ledger.till().site().name.to_string()
    }

    /// Today at the site.
    pub(crate) fn today(&self) -> Date {
        self.site.ledger.till().site().local(self.site.clock.now()).date()
    }

    /// The frame of a page outside.
    pub(crate) fn door(&self, headers: &HeaderMap, flash: Option<Flash>) -> Frame {
        let language = page::language(headers);
        let (t, code) = Frame::texts_of(language);
        Frame {
            t,
            code,
            language,
            site: self.site_name(),
            user: String::new(),
            may_change: false,
            csrf: String::new(),
            flash,
            here: Place::Door,
            path: "/office/login".into(),
            version: assets::version().to_owned(),
        }
    }

    pub(crate) fn not_found(&self, visitor: &Visitor) -> Response {
        let frame = self.door(&visitor.headers, None);
        let (heading, hint) = (frame.t.not_found.to_owned(), frame.t.not_found_hint.to_owned());
        page::draw_with(StatusCode::NOT_FOUND, &MessagePage { frame, heading, hint })
    }

    /// Lets the till decide and waits until it is on disk.
    pub(crate) async fn manage(
        &self,
        visitor: &Visitor,
        changes: Vec<Manage>,
        records: Vec<Record>,
    ) -> Result<(), SubmitError> {
        let context = Context {
            staff: Some(visitor.session.staff),
            station: StationId(0),
            device: "office".into(),
            at: self.site.clock.now(),
        };
        let commands = changes.into_iter().map(Command::Manage).collect();
        self.submit(Submission { context, commands, mark: None, records }).await
    }

    pub(crate) async fn submit(&self, submission: Submission) -> Result<(), SubmitError> {
        match self.site.ledger.submit(submission).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                tracing::info!(%error, "a change of the back office was not stored");
                Err(error)
            }
            Err(_) => Err(SubmitError::Failed("the ledger is closed".into())),
        }
    }
}

/// The file that a form brings; `None`: it brings none, or an empty one.
async fn file_of(mut form: Multipart) -> Option<axum::body::Bytes> {
    while let Ok(Some(field)) = form.next_field().await {
        if field.name() == Some("file") {
            return field.bytes().await.ok().filter(|bytes| !bytes.is_empty());
        }
    }
    None
}
