//! TLS 1.3 with pinned keys.
//!
//! QUIC: both sides show a certificate; a client accepts exactly the server whose fingerprint it was given, a server accepts every
//! key and asks its list of devices afterwards (an unknown one may only pair). The handshake proves that the peer holds the key.
//! HTTPS: the server alone shows a certificate, Ed25519 to whoever knows it and P-256 to browsers.
//!
//! Invariants: TLS 1.3 only; early data (0-RTT) is off on both sides, because a replayed tap would be a second tap.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError as RustlsCertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName,
    Error, ServerConfig, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use thiserror::Error;

use crate::{Certificate, Fingerprint, fingerprint_of_certificate};

/// The protocol's name in QUIC handshakes.
pub const ALPN: &[u8] = b"tresen/1";

/// The name of what endpoints and relay nodes say to each other, in QUIC handshakes.
pub const RELAY_ALPN: &[u8] = b"tresen-relay/1";

/// What a client calls a relay node in its first message of TLS. Names in certificates mean nothing, but in a stream it tells the node from the edge servers behind it.
pub const RELAY_SERVER_NAME: &str = "tresen-relay";

/// The name of tunnels, streams that carry datagrams where there is no UDP, in TLS handshakes.
pub const TUNNEL_ALPN: &[u8] = b"tresen-tunnel/1";

/// Why a TLS configuration can't be made.
#[derive(Debug, Error)]
#[error("TLS can't be set up: {0}")]
pub struct TlsError(#[from] Error);

/// The server's side of QUIC: shows `certificate`, asks for the client's, and takes any key (see the module).
///
/// # Errors
/// When the certificate and its key don't fit.
pub fn quic_server_config(certificate: Certificate) -> Result<ServerConfig, TlsError> {
    let provider = provider();
    let verifier = Arc::new(AnyDevice { provider: provider.clone() });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificate.chain, certificate.key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.max_early_data_size = 0;
    Ok(config)
}

/// A relay node's side of control connections: as [`quic_server_config`], under [`RELAY_ALPN`].
///
/// # Errors
/// When the certificate and its key don't fit.
pub fn relay_server_config(certificate: Certificate) -> Result<ServerConfig, TlsError> {
    let mut config = quic_server_config(certificate)?;
    config.alpn_protocols = vec![RELAY_ALPN.to_vec()];
    // Nobody resumes a control connection.
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// An endpoint's side of control connections: as [`client_config`], under [`RELAY_ALPN`].
///
/// # Errors
/// When the certificate and its key don't fit.
pub fn relay_client_config(node: Fingerprint, certificate: Certificate) -> Result<ClientConfig, TlsError> {
    let mut config = client_config(node, certificate)?;
    config.alpn_protocols = vec![RELAY_ALPN.to_vec()];
    Ok(config)
}

/// A relay node's side of tunnels. Nobody shows a certificate to it: who comes proves within the tunnel who he is, as over UDP.
///
/// # Errors
/// When the certificate and its key don't fit.
pub fn tunnel_server_config(certificate: Certificate) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(certificate.chain, certificate.key)?;
    config.alpn_protocols = vec![TUNNEL_ALPN.to_vec()];
    config.max_early_data_size = 0;
    Ok(config)
}

/// An endpoint's side of tunnels: accepts exactly `node`, and shows nothing.
///
/// # Errors
/// When the TLS library refuses its own defaults.
pub fn tunnel_client_config(node: Fingerprint) -> Result<ClientConfig, TlsError> {
    let mut config = https_client_config(node)?;
    config.alpn_protocols = vec![TUNNEL_ALPN.to_vec()];
    Ok(config)
}

/// The server's side of HTTPS. `native` goes to clients that know Ed25519, `browsers` to all others.
///
/// # Errors
/// When a certificate and its key don't fit.
pub fn https_config(native: Certificate, browsers: Certificate) -> Result<ServerConfig, TlsError> {
    let provider = provider();
    let resolver = ByScheme {
        native: Arc::new(CertifiedKey::from_der(native.chain, native.key, &provider)?),
        browsers: Arc::new(CertifiedKey::from_der(browsers.chain, browsers.key, &provider)?),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.max_early_data_size = 0;
    Ok(config)
}

/// A native client's side of HTTPS: accepts exactly `server`, and shows nothing.
///
/// # Errors
/// When the TLS library refuses its own defaults.
pub fn https_client_config(server: Fingerprint) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let verifier = Arc::new(PinnedServer { server, provider: provider.clone() });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.enable_early_data = false;
    Ok(config)
}

/// A client's side of QUIC: accepts exactly `server`, and shows its own certificate.
///
/// # Errors
/// When the certificate and its key don't fit.
pub fn client_config(server: Fingerprint, certificate: Certificate) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let verifier = Arc::new(PinnedServer { server, provider: provider.clone() });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(certificate.chain, certificate.key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_early_data = false;
    Ok(config)
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn no_tls12() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("TLS 1.2 is not spoken here".into()))
}

fn verify_signature(
    provider: &CryptoProvider,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    verify_tls13_signature(message, certificate, signature, &provider.signature_verification_algorithms)
}

fn schemes() -> Vec<SignatureScheme> {
    vec![SignatureScheme::ED25519]
}

#[derive(Debug)]
struct PinnedServer {
    server: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match fingerprint_of_certificate(end_entity) {
            Ok(found) if found == self.server => Ok(ServerCertVerified::assertion()),
            Ok(_) => Err(RustlsCertificateError::ApplicationVerificationFailure.into()),
            Err(_) => Err(RustlsCertificateError::BadEncoding.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(&self.provider, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

#[derive(Debug)]
struct AnyDevice {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyDevice {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match fingerprint_of_certificate(end_entity) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(_) => Err(RustlsCertificateError::BadEncoding.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(&self.provider, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

#[derive(Debug)]
struct ByScheme {
    native: Arc<CertifiedKey>,
    browsers: Arc<CertifiedKey>,
}

impl ResolvesServerCert for ByScheme {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let knows_ed25519 = hello.signature_schemes().contains(&SignatureScheme::ED25519);
        Some(if knows_ed25519 { self.native.clone() } else { self.browsers.clone() })
    }
}

#[cfg(test)]
mod tests {
    use rustls::{ClientConnection, ServerConnection};

    use super::*;
    use crate::{KeyPair, Secret};

    fn pair(byte: u8) -> KeyPair {
        KeyPair::from_seed(&Secret::new([byte; 32]))
    }

    fn certificate(byte: u8) -> Certificate {
        Certificate::for_key_pair(&pair(byte)).unwrap()
    }

    /// Runs a handshake in memory; the names that both sides saw, or the first error.
    fn handshake(client: ClientConfig, server: ServerConfig) -> Result<(Fingerprint, Fingerprint), Error> {
        let name = ServerName::try_from("tresen").unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets()?;
            bytes.clear();
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut bytes.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        let seen = |certificates: Option<&[CertificateDer<'_>]>| {
            fingerprint_of_certificate(&certificates.unwrap()[0]).unwrap()
        };
        Ok((seen(server.peer_certificates()), seen(client.peer_certificates())))
    }

    #[test]
    fn both_sides_learn_each_others_names() {
        let client = client_config(pair(1).fingerprint(), certificate(2)).unwrap();
        let server = quic_server_config(certificate(1)).unwrap();
        let names = handshake(client, server).unwrap();
        assert_eq!(names, (pair(2).fingerprint(), pair(1).fingerprint()));
    }

    #[test]
    fn another_server_is_refused() {
        let client = client_config(pair(1).fingerprint(), certificate(2)).unwrap();
        let server = quic_server_config(certificate(3)).unwrap();
        assert!(handshake(client, server).is_err());
    }

    #[test]
    fn a_native_client_pins_the_server_over_https_too() {
        let browsers = || Certificate::for_browsers(&Secret::new([4; 32]), "Tresen", &[]).unwrap();
        let shake = |server: u8| {
            let mut client = ClientConnection::new(
                Arc::new(https_client_config(pair(1).fingerprint()).unwrap()),
                ServerName::try_from("tresen").unwrap(),
            )
            .unwrap();
            let config = https_config(certificate(server), browsers()).unwrap();
            let mut server = ServerConnection::new(Arc::new(config)).unwrap();
            for _ in 0..3 {
                let mut bytes = Vec::new();
                client.write_tls(&mut bytes).unwrap();
                server.read_tls(&mut bytes.as_slice()).unwrap();
                server.process_new_packets().unwrap();
                bytes.clear();
                server.write_tls(&mut bytes).unwrap();
                client.read_tls(&mut bytes.as_slice()).unwrap();
                client.process_new_packets()?;
            }
            Ok::<_, Error>(())
        };
        assert!(shake(1).is_ok());
        assert!(shake(3).is_err());
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let borrowed = Certificate { chain: certificate(2).chain, key: certificate(3).key };
        assert!(client_config(pair(1).fingerprint(), borrowed).is_err());
    }

    #[test]
    fn browsers_get_a_certificate_they_know() {
        let browsers =
            Certificate::for_browsers(&Secret::new([4; 32]), "Tresen", &["localhost".into()]).unwrap();
        let expected = fingerprint_of_certificate(browsers.der()).unwrap();
        assert_ne!(expected, pair(1).fingerprint());
        assert!(https_config(certificate(1), browsers).is_ok());
    }
}
