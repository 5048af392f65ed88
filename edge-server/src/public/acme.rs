//! The certificate for the public name from an authority (ACME, RFC 8555): asked for when there is none, and again when two thirds of its time are over.
//!
//! The authority asks back through the relay (TLS-ALPN-01, RFC 8737), so the box needs no open port. Account and certificate are files of the data folder, for their
//! owner's eyes only, and in backups. The protocol is instant-acme's; what is done when, and what is kept, is here.

use std::path::Path;
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder,
    OrderStatus, RetryPolicy,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tresen_identity::{Certificate, CertificateError, PublicCertificates, TlsError};
use zeroize::Zeroizing;

use super::AcmeSettings;
use crate::data_dir::{ACME_ACCOUNT, ACME_CERTIFICATE, DataDir, DataDirError};

/// From one attempt to the next: the first pause, and the longest. Authorities count those that fail.
const PAUSES: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(12 * 3600));

/// How often it is looked whether the certificate has to be renewed.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);

/// How long the authority may take to check who holds the name, and to sign.
const PATIENCE: Duration = Duration::from_secs(90);

/// Why there is no certificate.
#[derive(Debug, Error)]
enum NotCertified {
    #[error("the authority: {0}")]
    Authority(#[from] instant_acme::Error),
    #[error("the authority offers no check over TLS (tls-alpn-01)")]
    NoChallenge,
    #[error("the authority does not believe that this box has the name: {0}")]
    NotBelieved(String),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the certificate is for another name, or its time is over")]
    Useless,
    #[error("an account with the authority can't be kept: {0}")]
    Account(#[from] serde_json::Error),
    #[error(transparent)]
    Data(#[from] DataDirError),
    #[error("the data folder can't be read: {0}")]
    Io(#[from] std::io::Error),
}

/// What is kept of an account.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    credentials: AccountCredentials,
}

/// Keeps a good certificate for `host` in what browsers are shown. Never ends.
pub(super) async fn keep(
    data: &DataDir,
    certificates: &PublicCertificates,
    settings: &AcmeSettings,
    host: &str,
) {
    let mut pause = PAUSES.0;
    loop {
        match renew_if_due(data, certificates, settings, host).await {
            Ok(()) => {
                pause = PAUSES.0;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Err(error) => {
                tracing::error!(%error, host, again_in_s = pause.as_secs(), "no new certificate for the public name");
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(PAUSES.1);
            }
        }
    }
}

async fn renew_if_due(
    data: &DataDir,
    certificates: &PublicCertificates,
    settings: &AcmeSettings,
    host: &str,
) -> Result<(), NotCertified> {
    if let Some(kept) = read(&data.path().join(ACME_CERTIFICATE))? {
        match certificate(&kept, host) {
            Ok((certificate, Due::Later)) => return Ok(certificates.set_browsers(certificate)?),
            // Better than none, until there is another.
            Ok((certificate, Due::Now)) => certificates.set_browsers(certificate)?,
            Err(error) => tracing::warn!(%error, "the certificate that was kept is not used"),
        }
    }
    let account = account(data, settings).await?;
    let ordered = order(&account, certificates, host).await;
    certificates.set_challenge(None)?;
    let text = ordered?;
    let (certificate, _) = certificate(&text, host)?;
    data.write_private(ACME_CERTIFICATE, &text)?;
    certificates.set_browsers(certificate)?;
    tracing::info!(host, "the public name has a new certificate");
    Ok(())
}

/// Whether a certificate should be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Now,
    Later,
}

fn due(valid: &std::ops::Range<u64>, now_s: u64) -> Due {
    let left_s = valid.end.saturating_sub(now_s);
    if left_s > valid.end.saturating_sub(valid.start) / 3 { Due::Later } else { Due::Now }
}

/// From its text and its key's.
fn certificate(text: &str, host: &str) -> Result<(Certificate, Due), NotCertified> {
    let certificate = Certificate::from_pem(text.as_bytes(), text.as_bytes())?;
    let now_s = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let valid = certificate.valid_s()?;
    if !certificate.is_for(host) || !valid.contains(&now_s) {
        return Err(NotCertified::Useless);
    }
    let due = due(&valid, now_s);
    Ok((certificate, due))
}

/// The account that is kept, or a new one.
async fn account(data: &DataDir, settings: &AcmeSettings) -> Result<Account, NotCertified> {
    let builder = match &settings.root {
        Some(root) => Account::builder_with_root(root)?,
        None => Account::builder()?,
    };
    let kept = read(&data.path().join(ACME_ACCOUNT))?;
    let kept = kept.map(|text| serde_json::from_str::<Kept>(&text)).transpose()?;
    if let Some(kept) = kept.filter(|kept| kept.directory == settings.directory) {
        return Ok(builder.from_credentials(kept.credentials).await?);
    }
    let contact: Vec<&str> = settings.contact.iter().map(String::as_str).collect();
    let wanted = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder.create(&wanted, settings.directory.clone(), None).await?;
    let kept = Kept { directory: settings.directory.clone(), credentials };
    let text = Zeroizing::new(serde_json::to_string(&kept)?);
    data.write_private(ACME_ACCOUNT, &text)?;
    Ok(account)
}

/// The chain and the private key, as one text.
async fn order(
    account: &Account,
    certificates: &PublicCertificates,
    host: &str,
) -> Result<Zeroizing<String>, NotCertified> {
    let wanted = [Identifier::Dns(host.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&wanted)).await?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Pending => {}
            AuthorizationStatus::Valid => continue,
            other => return Err(NotCertified::NotBelieved(format!("{other:?}"))),
        }
        let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
        let mut challenge = challenge.ok_or(NotCertified::NoChallenge)?;
        let digest = challenge.key_authorization().digest();
        let digest: &[u8; 32] = digest.as_ref().try_into().map_err(|_| NotCertified::NoChallenge)?;
        certificates.set_challenge(Some((host.to_owned(), Certificate::for_acme(host, digest)?)))?;
        challenge.set_ready().await?;
    }
    let patience = RetryPolicy::new().timeout(PATIENCE);
    match order.poll_ready(&patience).await? {
        OrderStatus::Ready => {}
        other => return Err(NotCertified::NotBelieved(format!("{other:?}"))),
    }
    let key = Zeroizing::new(order.finalize().await?);
    let chain = order.poll_certificate(&patience).await?;
    Ok(Zeroizing::new(format!("{}\n{}", chain.trim_end(), *key)))
}

fn read(path: &Path) -> std::io::Result<Option<Zeroizing<String>>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a certificate is renewed when two thirds of its time are over, however long that is.
    #[test]
    fn a_certificate_is_renewed_in_time() {
        let day = 86_400;
        for days in [6, 45, 90] {
            let valid = 1_000..1_000 + days * day;
            assert_eq!(due(&valid, 1_000 + days * day / 2), Due::Later);
            assert_eq!(due(&valid, 1_000 + days * day * 7 / 10), Due::Now);
            assert_eq!(due(&valid, u64::MAX), Due::Now);
        }
    }
}
