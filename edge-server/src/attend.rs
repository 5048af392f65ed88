//! A device that has proved who it is, from its hello to the end of its connection.

use std::sync::Arc;

use tresen_identity::Fingerprint;
use tresen_wire::{CloseCode, Hello, ToClient, ToServer};

use crate::hub::Seat;
use crate::instance::Link;
use crate::instance::link::Leaving;
use crate::links::Connection;
use crate::registry::{Device, Snapshot};
use crate::site::Site;
use crate::waiting;

/// Attaches a device to an instance, or shows it that there is no seat, until its connection ends or it may stay no longer. `first` is
/// the first message on the connection, `connection` what can be asked about it.
pub async fn attend(
    site: Arc<Site>,
    device: Fingerprint,
    first: Vec<u8>,
    link: Link,
    connection: Box<dyn Connection>,
) {
    let snapshot = site.registry.snapshot();
    let known = match admitted(&snapshot, device) {
        // A copy: what a connection keeps for its whole life is its device, and not the registry of that moment.
        Ok(known) => known.clone(),
        Err(code) => {
            tracing::warn!(device = %device.short(), %code, "a device was not let in");
            return link.bye(code, code.reason());
        }
    };
    let hello = match hello_of(&first) {
        Ok(hello) => hello,
        Err(code) => {
            tracing::warn!(device = %device.short(), %code, "a connection was closed: it began with no hello");
            return link.bye(code, code.reason());
        }
    };
    let seat = site.hub.claim(&snapshot, &known, site.clock.now_ms());
    drop(snapshot);
    match seat {
        Some(seat) => sit(&site, seat, &known, hello, link, connection).await,
        None => waiting::wait(&site, &known, hello, link).await,
    }
}

/// The device, when it may come in; else why not.
fn admitted(snapshot: &Snapshot, device: Fingerprint) -> Result<&Device, CloseCode> {
    match snapshot.devices.get(&device) {
        None => Err(CloseCode::Unauthorised),
        Some(known) if known.revoked => Err(CloseCode::Revoked),
        Some(known) => Ok(known),
    }
}

fn hello_of(message: &[u8]) -> Result<Hello, CloseCode> {
    match ToServer::decode(message) {
        Ok(ToServer::Hello(hello)) => Ok(hello),
        Ok(_) => Err(CloseCode::Protocol),
        Err(tresen_wire::DecodeError::TooLarge(_)) => Err(CloseCode::TooLarge),
        Err(_) => Err(CloseCode::Protocol),
    }
}

async fn sit(
    site: &Arc<Site>,
    mut seat: Seat,
    device: &Device,
    hello: Hello,
    link: Link,
    connection: Box<dyn Connection>,
) {
    let (outgoing, closing) = (link.outgoing.clone(), link.closing.clone());
    let mut registry = site.registry.watch();
    let mut watched = site.links.begin(device.id, connection, seat.handle.status.clone());
    seat.handle.attach(device.id, hello, link).await;
    tracing::info!(device = %device.id.short(), name = device.name, station = seat.station, "attached");
    note_seen(site, device, Some(seat.station)).await;
    let dismissed = async {
        loop {
            if let Some(code) = dismissal(&registry.borrow_and_update(), device.id, seat.station) {
                return code;
            }
            if registry.changed().await.is_err() {
                return CloseCode::ServerStopping;
            }
        }
    };
    tokio::select! {
        leaving = closing.closed() => seat.leaving = leaving,
        code = dismissed => {
            let _ = outgoing.send(ToClient::Bye { code, text: code.reason().into() }.encode());
            closing.close(Leaving::Goodbye);
            seat.leaving = Leaving::Goodbye;
        }
    }
    watched.leaving = seat.leaving;
    drop(watched);
    note_seen(site, device, None).await;
    tracing::info!(device = %device.id.short(), station = seat.station, "left");
}

/// Why a device may not stay at its station; `None` when it may.
fn dismissal(snapshot: &Snapshot, device: Fingerprint, station: u16) -> Option<CloseCode> {
    match snapshot.devices.get(&device) {
        None => Some(CloseCode::Revoked),
        Some(device) if device.revoked => Some(CloseCode::Revoked),
        // It connects again, and finds its new station.
        Some(device) if device.station.is_some_and(|assigned| assigned != station) => Some(CloseCode::Normal),
        Some(_) => None,
    }
}

/// Notes when and where a device was seen. That it can't be noted is no reason to send anybody away.
async fn note_seen(site: &Site, device: &Device, station: Option<u16>) {
    if let Err(error) = site.registry.seen(device.id, site.clock.now(), station).await {
        tracing::debug!(%error, "a device's visit could not be noted");
    }
}
