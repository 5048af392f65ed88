//! Self-signed certificates: envelopes for public keys. What counts is the key; names and dates in them are for browsers' dialogs.

use p256::pkcs8::EncodePrivateKey;
use rcgen::{CertificateParams, DistinguishedName, DnType};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use webpki::EndEntityCert;

use crate::{Fingerprint, KeyPair, Secret};

/// A certificate and its private key, for TLS. No `Debug`.
pub struct Certificate {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// Why a certificate could not be made or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The key or a name does not fit a certificate.
    #[error("the certificate can't be made: {0}")]
    Making(String),
    /// It is no X.509 certificate.
    #[error("the peer's certificate is malformed")]
    Malformed,
}

/// Certificates are pinned by their key, so they last: 4000 years is the usual way of saying "no expiry" (RFC 5280, 4.1.2.5).
const LAST_YEAR: i32 = 4096;

impl Certificate {
    /// For a key pair; what QUIC shows.
    ///
    /// # Errors
    /// When it can't be encoded.
    pub fn for_key_pair(pair: &KeyPair) -> Result<Self, CertificateError> {
        let der = PrivatePkcs8KeyDer::from(pair.pkcs8_der().to_vec());
        self_signed(der, &pair.fingerprint().to_string(), &[])
    }

    /// For browsers, which know no Ed25519: a P-256 key from 32 random bytes, and the names and addresses it answers to.
    ///
    /// # Errors
    /// When the bytes are no P-256 scalar (draw again), or a name can't stand in a certificate.
    pub fn for_browsers(seed: &Secret<32>, name: &str, hosts: &[String]) -> Result<Self, CertificateError> {
        let making = |error: &dyn std::fmt::Display| CertificateError::Making(error.to_string());
        let secret = p256::SecretKey::from_slice(seed.expose()).map_err(|error| making(&error))?;
        let document = secret.to_pkcs8_der().map_err(|error| making(&error))?;
        self_signed(PrivatePkcs8KeyDer::from(document.as_bytes().to_vec()), name, hosts)
    }

    /// The certificate itself.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.chain[0]
    }
}

impl Clone for Certificate {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

fn self_signed(
    key: PrivatePkcs8KeyDer<'static>,
    name: &str,
    hosts: &[String],
) -> Result<Certificate, CertificateError> {
    let making = |error: rcgen::Error| CertificateError::Making(error.to_string());
    let pair = rcgen::KeyPair::try_from(&key).map_err(making)?;
    let mut params = CertificateParams::new(hosts).map_err(making)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2025, 1, 1);
    params.not_after = rcgen::date_time_ymd(LAST_YEAR, 1, 1);
    let certificate = params.self_signed(&pair).map_err(making)?;
    Ok(Certificate { chain: vec![certificate.der().clone()], key: PrivateKeyDer::Pkcs8(key) })
}

/// The name of whoever owns the key in a certificate.
///
/// # Errors
/// When the bytes are no X.509 certificate.
pub fn fingerprint_of_certificate(der: &[u8]) -> Result<Fingerprint, CertificateError> {
    let der = CertificateDer::from(der);
    let certificate = EndEntityCert::try_from(&der).map_err(|_| CertificateError::Malformed)?;
    Ok(Fingerprint::of_spki(certificate.subject_public_key_info().as_ref()))
}
