//! Everything that listens, and the instances that are shown to whoever comes.

use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::TlsAcceptor;
use tresen_identity::{
    Certificate, KeyPair, PublicCertificates, RelayRoute, https_config, quic_server_config,
};

use super::{RunError, lan_addresses, today};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::net::descriptors::connections_that_fit;
use crate::net::gate::Gate;
use crate::net::listen::Sockets;
use crate::net::passed::Passed;
use crate::net::{http, quic, tcp};
use crate::site::Site;
use crate::{links, public, relay};

/// How often the licence is asked whether it still holds.
const LICENCE_CHECK: Duration = Duration::from_secs(3600);

/// Starts the instances, and everything that listens.
pub(super) async fn serve(
    site: &Arc<Site>,
    sockets: Sockets,
    certificates: Certificates,
    route: Option<RelayRoute>,
) -> Result<(), RunError> {
    let snapshot = site.registry.snapshot();
    site.hub.keep_last_seats(&snapshot, site.clock.now_ms());
    site.hub.follow(&snapshot).await;
    site.tasks.spawn(follow_registry(site.clone()));
    site.tasks.spawn(links::keep(site.clone()));
    let gate = Arc::new(Gate::new(&site.config.limits, connections_that_fit));
    let http = tcp::Http {
        tls: TlsAcceptor::from(Arc::new(https_config(
            certificates.native.clone(),
            certificates.browsers.clone(),
        )?)),
        router: http::router(site),
        gate: gate.clone(),
        shutdown: site.shutdown.clone(),
        clock: site.clock.clone(),
        tasks: site.tasks.clone(),
    };
    for listener in sockets.tcp {
        site.tasks.spawn(tcp::serve(listener, http.clone()));
    }
    let tls = || quic_server_config(certificates.native.clone());
    let Some(route) = route else {
        for socket in sockets.udp {
            let endpoint = quic::endpoint(socket, tls()?).map_err(RunError::Quic)?;
            site.tasks.spawn(quic::serve(site.clone(), endpoint, gate.clone()));
        }
        return Ok(());
    };
    let (probes, probed) = tresen_reach::own_packets();
    let door = quic::door(sockets.udp, tls()?, probes).map_err(RunError::Quic)?;
    site.tasks.spawn(quic::serve(site.clone(), door.endpoint.clone(), gate));
    let shown = PublicCertificates::new(certificates.native, certificates.browsers)?;
    let passed = Passed { http, tls: TlsAcceptor::from(Arc::new(shown.config()?)) };
    site.tasks.spawn(public::keep_certificate(site.clone(), shown));
    let (key, passed) = (site.data.server_key()?, Arc::new(passed));
    site.tasks.spawn(relay::keep(site.clone(), route, key, door, probed, passed));
    Ok(())
}

/// Keeps the instances in step with the stations, and the stations with the licence.
async fn follow_registry(site: Arc<Site>) {
    let mut changes = site.registry.watch();
    let mut check = tokio::time::interval(LICENCE_CHECK);
    loop {
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                let snapshot = changes.borrow_and_update().clone();
                site.hub.follow(&snapshot).await;
            }
            _ = check.tick() => {
                if let Err(error) = site.registry.renew_seats(today(&site.ledger)).await {
                    tracing::error!(%error, "the licence's seats could not be renewed");
                }
            }
            () = site.shutdown.cancelled() => return,
        }
    }
}

/// What the server shows to whoever connects.
pub(super) struct Certificates {
    native: Certificate,
    browsers: Certificate,
}

impl Certificates {
    pub(super) fn make(config: &Config, data: &DataDir, key: &KeyPair) -> Result<Self, RunError> {
        let mut hosts: Vec<String> = config.public_host.iter().map(ToString::to_string).collect();
        hosts.push("localhost".into());
        hosts.extend(lan_addresses().iter().map(ToString::to_string));
        Ok(Self {
            native: Certificate::for_key_pair(key)?,
            browsers: Certificate::for_browsers(&data.browsers_key()?, &config.name, &hosts)?,
        })
    }
}
