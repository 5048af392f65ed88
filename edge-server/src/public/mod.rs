//! The box under its public name, `<its name>.<the relay's domain>`: browsers reach it there from any network, because its relay passes their TLS on.
//!
//! The relay tells the name, and from where each stream comes; it has neither key nor certificate. What a browser may do is what it may do on the LAN, with two
//! exceptions: nothing of what is for this machine alone ([`crate::net::home`]), and the back office only when the configuration says so.
//!
//! The certificate is from files, from an authority ([`acme`]), or made here, which browsers warn of.

mod acme;
mod settings;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tresen_identity::{Certificate, CertificateError, PublicCertificates, TlsError};

use crate::site::Site;
pub use settings::{AcmeSettings, CertificateFrom, Public};

/// How often the files with the certificate are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);

/// Why there is no certificate for the public name.
#[derive(Debug, Error)]
enum NoCertificate {
    #[error("{0} can't be read: {1}")]
    File(String, std::io::Error),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Data(#[from] crate::data_dir::DataDirError),
}

/// Sees to it that browsers are shown the right certificate, until the server stops.
pub async fn keep_certificate(site: Arc<Site>, certificates: Arc<PublicCertificates>) {
    let keeping = async {
        let mut places = site.relay.public();
        loop {
            let place = places.borrow_and_update().clone();
            let Some(place) = place else {
                if places.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let host = place.host(&site.name);
            let keeping = keep_for(&site, &certificates, &host);
            tokio::select! {
                () = keeping => return,
                changed = places.changed() => if changed.is_err() { return },
            }
        }
    };
    site.shutdown.run_until_cancelled(keeping).await;
}

async fn keep_for(site: &Arc<Site>, certificates: &Arc<PublicCertificates>, host: &str) {
    if let Err(error) = show_own(site, certificates, host) {
        tracing::error!(%error, "no certificate could be made for the public name");
    }
    match &site.config.public.certificate {
        CertificateFrom::Own => std::future::pending().await,
        CertificateFrom::Files { chain, key } => loop {
            // Whoever renews them writes them anew.
            if let Err(error) = show_files(certificates, chain, key).await {
                tracing::error!(%error, "the certificate for the public name can't be used");
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        },
        CertificateFrom::Acme(settings) => acme::keep(&site.data, certificates, settings, host).await,
    }
}

fn show_own(site: &Site, certificates: &PublicCertificates, host: &str) -> Result<(), NoCertificate> {
    let key = site.data.browsers_key()?;
    let own = Certificate::for_browsers(&key, &site.config.name, &[host.to_owned()])?;
    Ok(certificates.set_browsers(own)?)
}

async fn show_files(
    certificates: &PublicCertificates,
    chain: &Path,
    key: &Path,
) -> Result<(), NoCertificate> {
    let read = async |path: &Path| {
        let read = tokio::fs::read(path).await;
        read.map_err(|error| NoCertificate::File(path.display().to_string(), error))
    };
    let key = zeroize::Zeroizing::new(read(key).await?);
    let certificate = Certificate::from_pem(&read(chain).await?, &key)?;
    Ok(certificates.set_browsers(certificate)?)
}
