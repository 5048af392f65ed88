//! Self-signed certificates: envelopes for public keys. What counts is the key; names and dates in them are for browsers' dialogs.

use std::ops::Range;

use p256::pkcs8::EncodePrivateKey;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
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
    /// A text that is no certificate, or no key.
    #[error("the text holds no certificate, or no private key, in PEM: {0}")]
    Text(String),
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

    /// From the text (PEM) in which authorities write a chain, its own certificate first, and of its private key. That they fit is seen when TLS is set up with it.
    ///
    /// # Errors
    /// When there is none.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let text = |error: &dyn std::fmt::Display| CertificateError::Text(error.to_string());
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|error| text(&error))?;
        if chain.is_empty() {
            return Err(text(&"no certificate in it"));
        }
        Ok(Self { chain, key: PrivateKeyDer::from_pem_slice(key).map_err(|error| text(&error))? })
    }

    /// The answer to an authority that asks who holds `name` (RFC 8737): with a new key, and the digest of what was agreed.
    ///
    /// # Errors
    /// When the name can't stand in a certificate.
    pub fn for_acme(name: &str, digest: &[u8; 32]) -> Result<Self, CertificateError> {
        let making = |error: rcgen::Error| CertificateError::Making(error.to_string());
        let pair = rcgen::KeyPair::generate().map_err(making)?;
        let mut params = CertificateParams::new([name.to_owned()]).map_err(making)?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let certificate = params.self_signed(&pair).map_err(making)?;
        let key = PrivateKeyDer::Pkcs8(pair.serialize_der().into());
        Ok(Self { chain: vec![certificate.der().clone()], key })
    }

    /// Whether it is for a host of this name.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let name = ServerName::try_from(host);
        let certificate = EndEntityCert::try_from(self.der());
        name.is_ok_and(|name| {
            certificate.is_ok_and(|certificate| certificate.verify_is_valid_for_subject_name(&name).is_ok())
        })
    }

    /// When it is good, in Unix seconds.
    ///
    /// # Errors
    /// When it is no X.509 certificate.
    pub fn valid_s(&self) -> Result<Range<u64>, CertificateError> {
        let (_, read) =
            x509_parser::parse_x509_certificate(self.der()).map_err(|_| CertificateError::Malformed)?;
        let seconds = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).unwrap_or_default();
        Ok(seconds(read.validity.not_before)..seconds(read.validity.not_after))
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
