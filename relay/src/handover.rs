//! A client's TLS stream, handed by the node that it came to, to a node of the same relay where its edge server is.
//!
//! It goes over TCP, to where the other node takes TLS itself. The first byte tells it from TLS, which begins with 22:
//!
//! ```text
//! to the other node   kind 1 (1 a client is handed over)
//! from it             nonce 16
//! to it               head 19 (`tresen_path::PassHead`: where the client is) | MAC 32 | what the client has said
//! from it             taken 1 (1 the edge server has the stream), and then what the edge server says
//! ```
//!
//! The MAC is BLAKE3, keyed with `derive_key("tresen relay handover v1", the relay's key)`, over nonce | number of the node that is asked, 4 bytes, big endian | head.
//!
//! Invariants: only nodes of the relay are believed where a client is, each time anew: a nonce is used once. A node vouches for what it has seen
//! itself and for nothing else, so asking it to vouch is of no use. What was handed over is not handed on ([`crate::passes`]), so there are no loops.

use std::io;

use blake3::Hash;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tresen_identity::{KeyPair, Secret};
use tresen_path::{NodeId, PASS_HEAD_BYTES, PassHead};

/// A client is handed over. Not 22, with which TLS begins.
pub const KIND: u8 = 1;

/// The edge server has the stream.
const TAKEN: u8 = 1;

const NONCE_BYTES: usize = 16;

const MAC_BYTES: usize = 32;

/// What nodes of one relay know each other by. No `Debug`: it is a secret.
pub struct HandoverKey(Secret<32>);

/// Why a stream was not handed over.
#[derive(Debug, Error)]
pub enum NotHandedOver {
    /// The connection between the nodes.
    #[error("the other node does not talk: {0}")]
    Broken(#[from] io::Error),
    /// It is none.
    #[error("it claims to come from a node, and does not know the relay's key")]
    Forged,
    /// From a newer node.
    #[error("another node hands over something that this one does not know")]
    Unknown,
}

impl HandoverKey {
    /// Of the relay with this key.
    #[must_use]
    pub fn of(relay: &KeyPair) -> Self {
        Self(Secret::new(relay.derive("tresen relay handover v1")))
    }

    fn mac(&self, nonce: &[u8; NONCE_BYTES], to: NodeId, head: &[u8; PASS_HEAD_BYTES]) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(self.0.expose());
        hasher.update(nonce).update(&to.0.to_be_bytes()).update(head);
        hasher.finalize()
    }

    /// Hands a client over to a node: where it is, and what it has said. Once this returns, the edge server has it and the stream is its.
    ///
    /// # Errors
    /// When the node does not take it. How long that may take, the caller knows.
    pub async fn offer(
        &self,
        node: &mut (impl AsyncRead + AsyncWrite + Unpin),
        to: NodeId,
        head: PassHead,
        said: &[u8],
    ) -> io::Result<()> {
        node.write_all(&[KIND]).await?;
        node.flush().await?;
        let mut nonce = [0; NONCE_BYTES];
        node.read_exact(&mut nonce).await?;
        let head = head.encode();
        let mac = self.mac(&nonce, to, &head);
        node.write_all(&[&head[..], mac.as_bytes(), said].concat()).await?;
        node.flush().await?;
        if node.read_u8().await? == TAKEN { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// Where the client is that a node hands over to this one; what follows in the stream is the client's. `nonce`: random bytes.
    ///
    /// # Errors
    /// When whoever is there does not prove to be a node. How long that may take, the caller knows.
    pub async fn receive(
        &self,
        node: &mut (impl AsyncRead + AsyncWrite + Unpin),
        here: NodeId,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<PassHead, NotHandedOver> {
        if node.read_u8().await? != KIND {
            return Err(NotHandedOver::Unknown);
        }
        node.write_all(&nonce).await?;
        node.flush().await?;
        let (mut head, mut mac) = ([0; PASS_HEAD_BYTES], [0; MAC_BYTES]);
        node.read_exact(&mut head).await?;
        node.read_exact(&mut mac).await?;
        // Hashes are compared in constant time.
        if self.mac(&nonce, here, &head) != Hash::from_bytes(mac) {
            return Err(NotHandedOver::Forged);
        }
        PassHead::decode(&head).map_err(|_| NotHandedOver::Unknown)
    }
}

/// Tells the node that handed a stream over: the edge server has it.
///
/// # Errors
/// When that node has gone.
pub async fn taken(node: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    node.write_all(&[TAKEN]).await?;
    node.flush().await
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    const HERE: NodeId = NodeId(7);

    fn key(byte: u8) -> HandoverKey {
        HandoverKey::of(&KeyPair::from_seed(&Secret::new([byte; 32])))
    }

    fn head() -> PassHead {
        PassHead { from: ([203, 0, 113, 9], 4433).into() }
    }

    /// What a node receives when `other` hands over to a node of this number.
    async fn handed(other: HandoverKey, to: NodeId) -> (Result<PassHead, NotHandedOver>, DuplexStream) {
        let (mut near, mut far) = duplex(1_000);
        tokio::spawn(async move { other.offer(&mut near, to, head(), b"hello").await });
        (key(1).receive(&mut far, HERE, [3; 16]).await, far)
    }

    /// Promise: the bytes between nodes don't change unseen, and the edge server gets what the client said, from where it is.
    #[tokio::test]
    async fn a_client_is_handed_over() {
        let (received, mut stream) = handed(key(1), HERE).await;
        assert_eq!(received.expect("a node"), head());
        let mut said = [0; 5];
        stream.read_exact(&mut said).await.expect("said");
        assert_eq!(&said, b"hello");

        let (mut near, mut far) = duplex(1_000);
        let offering = tokio::spawn(async move { key(1).offer(&mut near, HERE, head(), b"hi").await });
        assert_eq!(far.read_u8().await.expect("a kind"), 1);
        far.write_all(&[3; 16]).await.expect("open");
        let mut sent = [0; 19 + 32 + 2];
        far.read_exact(&mut sent).await.expect("a head");
        assert_eq!(sent[..19], head().encode());
        let mac: String = sent[19..51].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(mac, "4592c98a37f562b6cc11d4abeaddc3f374df8384acf3c4e95fd9e5c46149a84d");
        assert!(!offering.is_finished(), "it waits until the edge server has it");
        taken(&mut far).await.expect("open");
        offering.await.expect("no panic").expect("taken");
    }

    /// Promise: nobody is believed where a client is who does not know the relay's key, says it to another node, says it again, or changes it.
    #[tokio::test]
    async fn forged_heads_are_refused() {
        assert!(matches!(handed(key(2), HERE).await.0, Err(NotHandedOver::Forged)), "another key");
        assert!(matches!(handed(key(1), NodeId(8)).await.0, Err(NotHandedOver::Forged)), "another node");
        let mac = *key(1).mac(&[3; 16], HERE, &head().encode()).as_bytes();
        let right = [&[KIND][..], &head().encode(), &mac].concat();
        let receive = async |bytes: &[u8], nonce: [u8; 16]| {
            let (mut near, mut far) = duplex(1_000);
            near.write_all(bytes).await.expect("room");
            near.shutdown().await.expect("open");
            key(1).receive(&mut far, HERE, nonce).await
        };
        assert!(receive(&right, [3; 16]).await.is_ok());
        assert!(matches!(receive(&right, [4; 16]).await, Err(NotHandedOver::Forged)), "another time");
        for at in 1..right.len() {
            let mut wrong = right.clone();
            wrong[at] ^= 1;
            assert!(matches!(receive(&wrong, [3; 16]).await, Err(NotHandedOver::Forged)), "byte {at}");
        }
        for length in 0..right.len() {
            assert!(matches!(receive(&right[..length], [3; 16]).await, Err(NotHandedOver::Broken(_))));
        }
        assert!(matches!(receive(&[2; 99], [3; 16]).await, Err(NotHandedOver::Unknown)));
    }

    /// Promise: a node that lets a client go has not taken it.
    #[tokio::test]
    async fn who_is_not_taken_is_not_handed_over() {
        let (mut near, mut far) = duplex(1_000);
        let offering = tokio::spawn(async move { key(1).offer(&mut near, HERE, head(), b"hi").await });
        key(1).receive(&mut far, HERE, [3; 16]).await.expect("a node");
        drop(far);
        assert!(offering.await.expect("no panic").is_err());
    }
}
