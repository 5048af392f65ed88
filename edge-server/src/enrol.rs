//! Pairing a device: the secret is used up, the key enrolled, and in the demo a free station assigned at once.

use std::sync::Arc;

use tresen_identity::{Fingerprint, PairAnswer, PairRequest, RefusalReason, Secret};

use crate::registry::{Device, DeviceKey, RegistryError, device_name};
use crate::site::Site;

/// Redeems a secret for the device with this fingerprint.
pub async fn pair(site: &Arc<Site>, request: PairRequest, device: Fingerprint, key: DeviceKey) -> PairAnswer {
    let PairRequest::Pair { secret, name, .. } = request;
    let Some(secret) = Secret::from_text(&secret) else {
        return refused(RefusalReason::Malformed, "the secret is malformed");
    };
    let class = match site.pairing.redeem(&site.clock, &secret) {
        Ok(class) => class,
        Err(reason) => {
            tracing::warn!(device = %device.short(), %reason, "a pairing was refused");
            return refused(reason.into(), &reason.to_string());
        }
    };
    let device = Device {
        id: device,
        name: device_name(&name),
        class,
        key,
        station: None,
        last_station: None,
        paired_at: site.clock.now(),
        last_seen: None,
        revoked: false,
        confirmed: false,
    };
    match enrol(site, device).await {
        Ok(answer) => answer,
        Err(RegistryError::Full) => refused(RefusalReason::Full, &RegistryError::Full.to_string()),
        Err(error) => {
            tracing::error!(%error, "a device could not be enrolled");
            refused(RefusalReason::Closed, "the server could not enrol the device")
        }
    }
}

async fn enrol(site: &Arc<Site>, mut device: Device) -> Result<PairAnswer, RegistryError> {
    let snapshot = site.registry.snapshot();
    if let Some(known) = snapshot.devices.get(&device.id).filter(|known| known.class == device.class) {
        // It pairs again: it is still the owner's, with the name and the place that it had.
        let confirmed = known.confirmed && !known.revoked;
        device = Device { revoked: false, confirmed, paired_at: device.paired_at, ..known.clone() };
    }
    if site.demo && device.station.is_none() {
        let taken = |station: u16| {
            snapshot.assigned_to(station).next().is_some()
                || site.hub.instance(station).is_none_or(|handle| handle.status.attached().is_some())
        };
        device.station = snapshot
            .seated()
            .find(|station| station.class == device.class && !taken(station.number))
            .map(|station| station.number);
    }
    let (id, station) = (device.id, device.station);
    tracing::info!(device = %id.short(), name = device.name, class = %device.class, "paired");
    site.registry.enrol(device).await?;
    Ok(PairAnswer::Paired { device: id, server: site.name, station })
}

fn refused(reason: RefusalReason, text: &str) -> PairAnswer {
    PairAnswer::Refused { reason, text: text.into() }
}

/// The answer to a request that is none.
#[must_use]
pub fn malformed() -> PairAnswer {
    refused(RefusalReason::Malformed, "the request to pair is malformed")
}
