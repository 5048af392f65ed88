//! What a shell is told to do: which way packets go, and with which sockets.

use std::net::SocketAddr;

use crate::link::SocketId;

/// Which way a client's packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through the relay.
    Relay,
    /// Straight to the edge server.
    Direct {
        /// From this socket.
        socket: SocketId,
        /// To this address.
        address: SocketAddr,
    },
}

/// What a shell has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathAction {
    /// Send the connection's packets this way from now on.
    Use(Way),
    /// Open sockets with these numbers, and say which could be opened.
    OpenSockets {
        /// The first number.
        first: SocketId,
        /// How many.
        count: u32,
    },
    /// Close sockets with these numbers, but this one.
    CloseSockets {
        /// The first number.
        first: SocketId,
        /// How many.
        count: u32,
        /// Still needed.
        except: Option<SocketId>,
    },
}

impl PathAction {
    pub(crate) const fn close(socket: SocketId) -> Self {
        Self::CloseSockets { first: socket, count: 1, except: None }
    }
}
