//! The overview: figures of the day, and every instance with a live picture.

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::future::join_all;
use tresen_identity::{DeviceClass, Fingerprint};
use tresen_till::{Language, Money, Receipt, ReceiptNumber};

use super::gate::Visitor;
use super::page::{Frame, Place, draw, fragment, live_answer};
use super::texts::{Texts, put};
use super::views::{InstanceCard, LinkView, LivePart, OverviewPage};
use super::{Office, network, thumbnail};
use crate::instance::{Handle, State as InstanceState};
use crate::registry::{Snapshot, Station};

/// From this round trip on, in ms, a connection counts as slow.
const SLOW_MS: u64 = 250;

/// The whole page.
pub(crate) async fn show(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    let frame = visitor.frame(&office, Place::Overview);
    let live = live_part(&office, frame.t, frame.language).await;
    draw(&OverviewPage { frame, live })
}

/// The part that refreshes itself. The browser is told when nothing has changed.
pub(crate) async fn live(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let language = visitor.language();
    live_answer(&headers, live_part(&office, Frame::texts_of(language).0, language).await)
}

async fn live_part(office: &Office, t: &'static Texts, language: Language) -> String {
    let snapshot = office.site.registry.snapshot();
    let instances = office.site.hub.instances();
    let cards =
        join_all(instances.iter().map(|(station, handle)| card(office, t, &snapshot, station, handle))).await;
    let running =
        instances.iter().filter(|(_, handle)| handle.status.state() == InstanceState::Running).count();
    let attached = instances.iter().filter(|(_, handle)| handle.status.attached().is_some()).count();
    let till = office.site.ledger.till();
    let currency = till.site().currency;
    let open: Money = till.open_checks().map(|check| check.total()).sum();
    let today = office.today();
    let of_today = |receipt: &&std::sync::Arc<Receipt>| till.site().local(receipt.at).date() == today;
    let sold: Money =
        till.receipts_from(ReceiptNumber(1)).rev().take_while(of_today).map(|receipt| receipt.total).sum();
    fragment(&LivePart {
        t,
        running,
        of_all: put(t.of, instances.len()),
        attached,
        open_checks: till.open_checks().len(),
        open_total: if open.is_zero() { String::new() } else { open.format(currency, language) },
        today_total: sold.format(currency, language),
        alarms: network::alarms(office, t, language),
        cards,
    })
}

async fn card(
    office: &Office,
    t: &Texts,
    snapshot: &Snapshot,
    station: &Station,
    handle: &Handle,
) -> InstanceCard {
    let shown = thumbnail::screen(handle).await;
    let size = shown.as_ref().map(thumbnail::size).unwrap_or_default();
    let number = station.number;
    let picture =
        shown.map(|shown| format!("/office/instances/{number}/screen.png?v={}", thumbnail::version(&shown)));
    let (status, status_look) = status(t, handle);
    let attached = handle.status.attached().map(|(device, _)| device);
    InstanceCard {
        number,
        name: format!("{number} · {}", station.name),
        icon: match station.class {
            DeviceClass::Mpos => "smartphone",
            DeviceClass::Paypos => "credit-card",
        },
        status,
        status_look,
        troubled: status_look == "late",
        picture,
        picture_label: put(t.screen_of, &station.name),
        picture_w: size.w,
        picture_h: size.h,
        person: office.person_at(handle),
        device: device_name(snapshot, number, attached),
        link: link(t, snapshot, number, handle, attached),
    }
}

fn status(t: &Texts, handle: &Handle) -> (String, &'static str) {
    let restarts = handle.status.panics.load(std::sync::atomic::Ordering::Relaxed);
    match (handle.status.state(), restarts) {
        (InstanceState::Starting | InstanceState::Running, 0) => (t.running.to_owned(), "good"),
        (InstanceState::Starting | InstanceState::Running, 1) => (t.restarts_one.to_owned(), "waits"),
        (InstanceState::Starting | InstanceState::Running, more) => (put(t.restarts_many, more), "waits"),
        (InstanceState::Restarting, _) => (t.restarting.to_owned(), "late"),
        (InstanceState::Stopped, _) => (t.stopped.to_owned(), "late"),
    }
}

/// The device that is attached, else those that are assigned.
fn device_name(snapshot: &Snapshot, station: u16, attached: Option<Fingerprint>) -> Option<String> {
    if let Some(id) = attached {
        return Some(snapshot.devices.get(&id).map_or_else(|| id.short(), |device| device.name.clone()));
    }
    let names: Vec<&str> = snapshot.assigned_to(station).map(|device| device.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn link(
    t: &Texts,
    snapshot: &Snapshot,
    station: u16,
    handle: &Handle,
    attached: Option<Fingerprint>,
) -> Option<LinkView> {
    if attached.is_none() {
        let expected = snapshot.assigned_to(station).next().is_some();
        return expected.then(|| LinkView { look: "away", text: t.link_away.to_owned() });
    }
    Some(match handle.status.rtt_ms() {
        None => LinkView { look: "direct", text: t.link_direct.to_owned() },
        Some(ms) if ms >= SLOW_MS => LinkView { look: "slow", text: format!("{} · {ms} ms", t.link_slow) },
        Some(ms) => LinkView { look: "direct", text: format!("{} · {ms} ms", t.link_direct) },
    })
}

impl Office {
    /// Who is logged in at an instance.
    fn person_at(&self, handle: &Handle) -> Option<String> {
        let staff = handle.status.staff()?;
        self.site.ledger.till().staff_member(staff).map(|staff| staff.name.to_string())
    }

    /// Whether a device is attached anywhere.
    pub(crate) fn online(&self, device: Fingerprint) -> bool {
        let instances = self.site.hub.instances();
        instances.iter().any(|(_, handle)| handle.status.attached().is_some_and(|(id, _)| id == device))
    }
}
