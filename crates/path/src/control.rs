//! What an endpoint and a relay node say to each other on a control connection: QUIC with ALPN `tresen-relay/1` and the certificates of both sides, from
//! the socket that carries everything else too, so that its address is proven by the handshake. The endpoint opens one bidirectional stream.
//!
//! ```text
//! message   length 2 | kind 1 | ...
//!
//! to the node                                     from the node
//! 1 join      enrolment secret 32                 1 joined    tenant 16
//! 2 register  tenant 16                           2 granted   lifetime 4, seconds | second port 2 (0: none) | count 1 | own handles, 8 each
//! 3 admit     token 165                                       | count 1 | the edge server's handles | knock secret 32 | observed address 18
//! 4 call      tenant 16 | edge server 32          3 refused
//! 5 let       token 165                           4 client    device 32 | its observed address 18
//! 6 turn away device 32                           5 leaving
//! 7 revoke    until 8, Unix s | count 1           6 call      device 32 | its observed address 18
//!             | devices, 32 each                  8 nodes     here 4 | count 1 | nodes, 4 | address 18 each
//!                                                 7 public    port 2 | domain
//! ```
//!
//! Numbers are big endian. An edge server joins once in its life and registers on each connection. A client that has a token shows it; one that has none calls
//! its edge server, which signs one for it, or turns it away: who its devices are, the edge server alone knows. Both come again
//! before their time is over: another grant has the same handles and another knock secret. Why somebody is refused stands in the operator's log alone.
//!
//! A node has one connection of each: the newest one. The one before is closed with [`REPLACED`], any other one with 1.

use std::net::SocketAddr;
use std::num::NonZeroU16;

use bytes::BufMut;
use thiserror::Error;
use tresen_identity::{Fingerprint, PublicPlace, Secret, TOKEN_BYTES, TenantId};

use crate::address::{self, ADDRESS_BYTES};
use crate::cid::{EDGE_HANDLES, EdgeName, HANDLE_BYTES, Handle, NodeId};
use crate::router::Grant;

/// Longest message after its length, in bytes.
pub const MAX_CONTROL_BYTES: usize =
    1 + 4 + 2 + 2 * (1 + EDGE_HANDLES as usize * HANDLE_BYTES) + 32 + ADDRESS_BYTES;

/// What a node closes a control connection with when its owner, or somebody with the same key, has another one there.
pub const REPLACED: u32 = 2;

/// Devices that one message revokes at most.
pub const MAX_REVOKED: usize = 32;

/// Addresses of nodes in one message at most.
pub const MAX_NODES: usize = 32;

/// A node of the relay, and an address at which it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeAt {
    /// Which.
    pub node: NodeId,
    /// Where.
    pub at: SocketAddr,
}

/// From an endpoint. No `Debug`: it holds secrets.
#[derive(Clone)]
pub enum ToNode {
    /// An edge server whose operator was given this secret.
    Join(Secret<32>),
    /// An edge server that is enrolled with this tenant.
    Register(TenantId),
    /// A client, with its admission token.
    Admit(Box<[u8; TOKEN_BYTES]>),
    /// A client without one, to its edge server.
    Call(EdgeName),
    /// An edge server's answer to a call: the token of the device that it names.
    Let(Box<[u8; TOKEN_BYTES]>),
    /// Its other answer: no device of its own.
    TurnAway(Fingerprint),
    /// An edge server no longer lets these devices in: what it signed for them until then is void, and they are cut off.
    Revoke {
        /// At most [`MAX_REVOKED`].
        devices: Vec<Fingerprint>,
        /// Unix seconds, by the edge server's clock.
        until_s: u64,
    },
}

/// From a node. No `Debug`: it holds secrets.
pub enum FromNode {
    /// The edge server belongs to this tenant from now on.
    Joined(TenantId),
    /// The endpoint may send and receive through the node.
    Granted {
        /// With what.
        grant: Box<Grant>,
        /// For how long, if nothing is said before, in seconds.
        lifetime_s: u32,
        /// The node's second port, at the same address: how the endpoint looks from there tells what its NAT box does.
        second_port: Option<NonZeroU16>,
    },
    /// It may not.
    Refused,
    /// To an edge server: this device was admitted to it, and looks so from outside. The relay vouches for the address.
    Client(Fingerprint, SocketAddr),
    /// The node is about to stop: go to another one.
    Leaving,
    /// To an edge server: this device, which has proven its key and comes from there, wants in.
    Call(Fingerprint, SocketAddr),
    /// To an edge server: browsers reach it below this domain, and come to it in streams that the node opens ([`crate::PassHead`]).
    Public(PublicPlace),
    /// To an edge server: the nodes at which it may register. To a client: those at which its edge server is.
    Nodes {
        /// The node that says so.
        here: NodeId,
        /// At most [`MAX_NODES`].
        nodes: Vec<NodeAt>,
    },
}

/// The peer's bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ControlError {
    /// Longer than any message.
    #[error("a control message is longer than allowed")]
    TooLong,
    /// Its parts don't fill it.
    #[error("a control message has another length than its parts")]
    Length,
    /// A kind that this version does not know.
    #[error("unknown kind of control message: {0}")]
    Unknown(u8),
    /// A domain that is none.
    #[error("a control message names a domain that is none")]
    Domain,
}

impl ToNode {
    /// Its bytes, with their length before them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Join(secret) => framed(1, &[secret.expose()]),
            Self::Register(tenant) => framed(2, &[tenant.as_bytes()]),
            Self::Admit(token) => framed(3, &[token.as_slice()]),
            Self::Call(name) => framed(4, &[name.tenant.as_bytes(), name.edge.as_bytes()]),
            Self::Let(token) => framed(5, &[token.as_slice()]),
            Self::TurnAway(device) => framed(6, &[device.as_bytes()]),
            Self::Revoke { devices, until_s } => {
                let count = u8::try_from(devices.len()).expect("MAX_REVOKED at most");
                let all: Vec<u8> = devices.iter().flat_map(|device| *device.as_bytes()).collect();
                framed(7, &[&until_s.to_be_bytes(), &[count], &all])
            }
        }
    }

    /// From the bytes after the length.
    ///
    /// # Errors
    /// When they are no message.
    pub fn decode(message: &[u8]) -> Result<Self, ControlError> {
        let (kind, mut body) = kind(message)?;
        match kind {
            1 => Ok(Self::Join(Secret::new(whole(body)?))),
            2 => Ok(Self::Register(TenantId::from_bytes(whole(body)?))),
            3 => Ok(Self::Admit(Box::new(whole(body)?))),
            4 => {
                let tenant = TenantId::from_bytes(array(&mut body)?);
                Ok(Self::Call(EdgeName { tenant, edge: Fingerprint::from_bytes(whole(body)?) }))
            }
            5 => Ok(Self::Let(Box::new(whole(body)?))),
            6 => Ok(Self::TurnAway(Fingerprint::from_bytes(whole(body)?))),
            7 => {
                let (until_s, [count]) = (u64::from_be_bytes(array(&mut body)?), array(&mut body)?);
                if usize::from(count) > MAX_REVOKED {
                    return Err(ControlError::TooLong);
                }
                let device = |_| array(&mut body).map(Fingerprint::from_bytes);
                let devices = (0..count).map(device).collect::<Result<_, _>>()?;
                if body.is_empty() {
                    Ok(Self::Revoke { devices, until_s })
                } else {
                    Err(ControlError::Length)
                }
            }
            other => Err(ControlError::Unknown(other)),
        }
    }
}

impl FromNode {
    /// Its bytes, with their length before them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Joined(tenant) => framed(1, &[tenant.as_bytes()]),
            Self::Granted { grant, lifetime_s, second_port } => framed(
                2,
                &[
                    &lifetime_s.to_be_bytes(),
                    &second_port.map_or(0, NonZeroU16::get).to_be_bytes(),
                    &handles(&grant.own_handles),
                    &handles(&grant.edge_handles),
                    grant.knock_secret.expose(),
                    &address::encode(grant.observed),
                ],
            ),
            Self::Refused => framed(3, &[]),
            Self::Client(device, at) => framed(4, &[device.as_bytes(), &address::encode(*at)]),
            Self::Leaving => framed(5, &[]),
            Self::Call(device, at) => framed(6, &[device.as_bytes(), &address::encode(*at)]),
            Self::Public(place) => framed(7, &[&place.port().to_be_bytes(), place.domain().as_bytes()]),
            Self::Nodes { here, nodes } => framed(8, &[&here.0.to_be_bytes(), &encode_nodes(nodes)]),
        }
    }

    /// From the bytes after the length.
    ///
    /// # Errors
    /// When they are no message.
    pub fn decode(message: &[u8]) -> Result<Self, ControlError> {
        let (kind, mut body) = kind(message)?;
        let read = match kind {
            1 => Self::Joined(TenantId::from_bytes(array(&mut body)?)),
            2 => {
                let lifetime_s = u32::from_be_bytes(array(&mut body)?);
                let second_port = NonZeroU16::new(u16::from_be_bytes(array(&mut body)?));
                let (own_handles, edge_handles) = (read_handles(&mut body)?, read_handles(&mut body)?);
                let knock_secret = Secret::new(array(&mut body)?);
                let observed = address::decode(&array(&mut body)?);
                let grant = Box::new(Grant { own_handles, edge_handles, knock_secret, observed });
                Self::Granted { grant, lifetime_s, second_port }
            }
            3 => Self::Refused,
            4 => {
                let device = Fingerprint::from_bytes(array(&mut body)?);
                Self::Client(device, address::decode(&array(&mut body)?))
            }
            5 => Self::Leaving,
            6 => {
                let device = Fingerprint::from_bytes(array(&mut body)?);
                Self::Call(device, address::decode(&array(&mut body)?))
            }
            7 => {
                let port = u16::from_be_bytes(array(&mut body)?);
                let domain =
                    std::str::from_utf8(std::mem::take(&mut body)).map_err(|_| ControlError::Domain)?;
                Self::Public(PublicPlace::new(domain, port).map_err(|_| ControlError::Domain)?)
            }
            8 => {
                let here = NodeId(u32::from_be_bytes(array(&mut body)?));
                Self::Nodes { here, nodes: read_nodes(&mut body)? }
            }
            other => return Err(ControlError::Unknown(other)),
        };
        if body.is_empty() { Ok(read) } else { Err(ControlError::Length) }
    }
}

/// What has come of a control connection's stream and is no complete message yet. No `Debug`: it may hold secrets.
#[derive(Default)]
pub struct ControlBuffer(Vec<u8>);

impl ControlBuffer {
    /// More of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next complete message, as `decode` reads it from the bytes after its length.
    ///
    /// # Errors
    /// When what comes is no message.
    pub fn next<T>(
        &mut self,
        decode: impl FnOnce(&[u8]) -> Result<T, ControlError>,
    ) -> Result<Option<T>, ControlError> {
        let Some((prefix, rest)) = self.0.split_first_chunk() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*prefix));
        if length > MAX_CONTROL_BYTES {
            return Err(ControlError::TooLong);
        }
        let Some(message) = rest.get(..length) else { return Ok(None) };
        let message = decode(message)?;
        self.0.drain(..prefix.len() + length);
        Ok(Some(message))
    }
}

fn framed(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(2 + length);
    bytes.put_u16(u16::try_from(length).expect("a message is shorter than MAX_CONTROL_BYTES"));
    bytes.put_u8(kind);
    parts.iter().for_each(|part| bytes.put_slice(part));
    bytes
}

fn handles(handles: &[Handle]) -> Vec<u8> {
    let count = u8::try_from(handles.len()).expect("a party has EDGE_HANDLES at most");
    let all = handles.iter().flat_map(|handle| *handle.as_bytes());
    std::iter::once(count).chain(all).collect()
}

fn read_handles(body: &mut &[u8]) -> Result<Vec<Handle>, ControlError> {
    let [count] = array(body)?;
    if u16::from(count) > EDGE_HANDLES {
        return Err(ControlError::TooLong);
    }
    (0..count).map(|_| array(body).map(Handle::from_bytes)).collect()
}

fn encode_nodes(nodes: &[NodeAt]) -> Vec<u8> {
    let count = u8::try_from(nodes.len()).expect("MAX_NODES at most");
    let mut bytes = vec![count];
    for NodeAt { node, at } in nodes {
        bytes.put_u32(node.0);
        bytes.put_slice(&address::encode(*at));
    }
    bytes
}

fn read_nodes(body: &mut &[u8]) -> Result<Vec<NodeAt>, ControlError> {
    let [count] = array(body)?;
    if usize::from(count) > MAX_NODES {
        return Err(ControlError::TooLong);
    }
    let node = |_| {
        let node = NodeId(u32::from_be_bytes(array(body)?));
        Ok(NodeAt { node, at: address::decode(&array(body)?) })
    };
    (0..count).map(node).collect()
}

fn kind(message: &[u8]) -> Result<(u8, &[u8]), ControlError> {
    if message.len() > MAX_CONTROL_BYTES {
        return Err(ControlError::TooLong);
    }
    message.split_first().map(|(kind, body)| (*kind, body)).ok_or(ControlError::Length)
}

fn whole<const N: usize>(body: &[u8]) -> Result<[u8; N], ControlError> {
    body.try_into().map_err(|_| ControlError::Length)
}

fn array<const N: usize>(body: &mut &[u8]) -> Result<[u8; N], ControlError> {
    let (array, rest) = body.split_first_chunk().ok_or(ControlError::Length)?;
    *body = rest;
    Ok(*array)
}

#[cfg(test)]
mod tests;
