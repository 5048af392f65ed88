//! TLS of an edge server under its public name: who sees which certificate.
//!
//! Browsers see the one that the server has for that name, native clients, which know nothing but Ed25519 and pin the server's key, its own; and a certificate
//! authority that checks who holds the name sees the answer to its question (TLS-ALPN-01, RFC 8737). The first two may change while connections are open.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SignatureScheme};

use crate::Certificate;
use crate::tls::{TlsError, provider};

/// The protocol in which an authority asks.
pub const ACME_ALPN: &[u8] = b"acme-tls/1";

/// The certificates that are shown; shared by all connections.
pub struct PublicCertificates {
    native: Arc<CertifiedKey>,
    browsers: RwLock<Arc<CertifiedKey>>,
    challenge: RwLock<Option<(String, Arc<CertifiedKey>)>>,
}

impl PublicCertificates {
    /// The server's own, and one for browsers.
    ///
    /// # Errors
    /// When a certificate and its key don't fit.
    pub fn new(native: Certificate, browsers: Certificate) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self {
            native: certified(native)?,
            browsers: RwLock::new(certified(browsers)?),
            challenge: RwLock::default(),
        }))
    }

    /// Browsers see this one from now on.
    ///
    /// # Errors
    /// When the certificate and its key don't fit: nothing has changed then.
    pub fn set_browsers(&self, browsers: Certificate) -> Result<(), TlsError> {
        *self.browsers.write().unwrap_or_else(PoisonError::into_inner) = certified(browsers)?;
        Ok(())
    }

    /// An authority that asks for this name sees this one from now on; or nothing.
    ///
    /// # Errors
    /// As [`Self::set_browsers`].
    pub fn set_challenge(&self, challenge: Option<(String, Certificate)>) -> Result<(), TlsError> {
        let challenge = challenge.map(|(name, answer)| Ok::<_, TlsError>((name, unread(answer)?)));
        *self.challenge.write().unwrap_or_else(PoisonError::into_inner) = challenge.transpose()?;
        Ok(())
    }

    /// TLS with these certificates.
    ///
    /// # Errors
    /// When the TLS library refuses its own defaults.
    pub fn config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec(), ACME_ALPN.to_vec()];
        config.max_early_data_size = 0;
        Ok(config)
    }
}

/// Keys are not shown.
impl fmt::Debug for PublicCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicCertificates")
    }
}

impl ResolvesServerCert for PublicCertificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut wanted| wanted.any(|protocol| protocol == ACME_ALPN)) {
            let challenge = self.challenge.read().unwrap_or_else(PoisonError::into_inner);
            let (name, answer) = challenge.as_ref()?;
            return hello.server_name().is_some_and(|wanted| wanted == name).then(|| answer.clone());
        }
        let schemes = hello.signature_schemes();
        if schemes.iter().all(|scheme| *scheme == SignatureScheme::ED25519) {
            return Some(self.native.clone());
        }
        Some(self.browsers.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Without a look at the certificate: an authority's question is answered by one with an extension that nobody else understands.
fn unread(certificate: Certificate) -> Result<Arc<CertifiedKey>, TlsError> {
    let key = provider().key_provider.load_private_key(certificate.key)?;
    Ok(Arc::new(CertifiedKey::new(certificate.chain, key)))
}

fn certified(certificate: Certificate) -> Result<Arc<CertifiedKey>, TlsError> {
    Ok(Arc::new(CertifiedKey::from_der(certificate.chain, certificate.key, &provider())?))
}

#[cfg(test)]
mod tests {
    use rustls::{ClientConfig, ClientConnection, ServerConnection};
    use rustls_pki_types::ServerName;

    use super::*;
    use crate::curious::Curious;
    use crate::{KeyPair, Secret, fingerprint_of_certificate, https_client_config};

    const NAME: &str = "box.tills.example";

    fn curious(alpn: &[u8]) -> ClientConfig {
        let schemes = vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519];
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Curious(schemes)))
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        config
    }

    /// The certificate that a client is shown under a name.
    fn shown(server: &Arc<PublicCertificates>, client: ClientConfig, name: &'static str) -> Option<Vec<u8>> {
        let name = ServerName::try_from(name).unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::new(server.config().unwrap())).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets().ok()?;
            bytes.clear();
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut bytes.as_slice()).unwrap();
            client.process_new_packets().ok()?;
        }
        Some(client.peer_certificates()?[0].to_vec())
    }

    /// Promise: browsers see the certificate for the name, also after it was renewed, native clients the server's own, and an authority the answer to its
    /// question while there is one and for that name alone.
    #[test]
    fn everybody_sees_what_is_meant_for_them() {
        let key = KeyPair::from_seed(&Secret::new([1; 32]));
        let made =
            |seed: u8| Certificate::for_browsers(&Secret::new([seed; 32]), "Box", &[NAME.into()]).unwrap();
        let der = |certificate: &Certificate| Some(certificate.der().to_vec());
        let (native, first, second) = (Certificate::for_key_pair(&key).unwrap(), made(2), made(3));
        let server = PublicCertificates::new(native.clone(), first.clone()).unwrap();
        let browser = || curious(b"http/1.1");
        assert_eq!(shown(&server, browser(), NAME), der(&first));
        let pinning = |certificate: &Certificate| {
            https_client_config(fingerprint_of_certificate(certificate.der()).unwrap()).unwrap()
        };
        assert_eq!(shown(&server, pinning(&native), NAME), der(&native));
        assert_eq!(shown(&server, pinning(&first), NAME), None);
        server.set_browsers(second.clone()).unwrap();
        assert_eq!(shown(&server, browser(), NAME), der(&second));

        let authority = || curious(ACME_ALPN);
        assert_eq!(shown(&server, authority(), NAME), None);
        let answer = Certificate::for_acme(NAME, &[7; 32]).unwrap();
        server.set_challenge(Some((NAME.into(), answer.clone()))).unwrap();
        assert_eq!(shown(&server, authority(), NAME), der(&answer));
        assert_eq!(shown(&server, authority(), "other.tills.example"), None);
        assert_eq!(shown(&server, browser(), NAME), der(&second));
        server.set_challenge(None).unwrap();
        assert_eq!(shown(&server, authority(), NAME), None);
    }

    /// Promise: a certificate is read from the text in which authorities write it, and never without its key.
    #[test]
    fn a_certificate_is_read_from_text() {
        let pair = rcgen::KeyPair::generate().unwrap();
        let signed = rcgen::CertificateParams::new([NAME.to_owned()]).unwrap().self_signed(&pair).unwrap();
        let read = Certificate::from_pem(signed.pem().as_bytes(), pair.serialize_pem().as_bytes()).unwrap();
        assert_eq!(read.der(), signed.der());
        assert!(read.is_for(NAME) && !read.is_for("other.tills.example"));
        let since_2000_s = 946_684_800;
        assert!(read.valid_s().unwrap().contains(&since_2000_s));
        assert!(Certificate::from_pem(b"", pair.serialize_pem().as_bytes()).is_err());
        assert!(Certificate::from_pem(signed.pem().as_bytes(), b"nonsense").is_err());
        let other = rcgen::KeyPair::generate().unwrap();
        let foreign =
            Certificate::from_pem(signed.pem().as_bytes(), other.serialize_pem().as_bytes()).unwrap();
        let own = Certificate::for_key_pair(&KeyPair::from_seed(&Secret::new([1; 32]))).unwrap();
        assert!(PublicCertificates::new(own, foreign).is_err());
    }
}
