//! The client's connection: how it comes, goes and takes another way, and how it is doing.

use tresen_session::LinkState;
use tresen_session::limits::SLOW_MS;

use super::Client;
use crate::look::Link;

/// The way of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Straight to the server, on its network.
    Direct,
    /// Straight to the server, through the internet.
    Internet,
    /// Through a relay, over UDP.
    Relayed,
    /// Through a relay that passes TLS on: over TCP, as browsers come from other networks, and whoever has no UDP.
    Passed,
}

impl Client {
    /// The open connection's other end acknowledged something that was sent after the last message came: it is there, only slow. A transport that
    /// can't tell (a WebSocket) says nothing, and the connection is given up sooner.
    pub fn acknowledged(&mut self, now_ms: u64) {
        self.patience.acknowledged(now_ms);
    }

    /// A connection is open, and this is its way.
    pub fn connected(&mut self, now_ms: u64, path: Path) {
        self.path = path;
        self.receiver.connect(now_ms);
    }

    /// The connection takes another way, and nothing else changes.
    pub const fn set_path(&mut self, path: Path) {
        self.path = path;
    }

    /// The connection goes on in another network, upon a new stream: what was on its way is lost. The screen stays, and what was tapped
    /// meanwhile goes with the first packets.
    pub fn moved(&mut self, now_ms: u64) {
        self.disconnected(now_ms);
        self.receiver.go_on(now_ms);
    }

    /// The connection is gone. The screen stays; what is tapped now is sent when the next connection is open.
    pub fn disconnected(&mut self, now_ms: u64) {
        self.receiver.disconnect(now_ms);
        self.waiting.stop();
        self.note_screen();
    }

    /// How good the link is.
    pub fn link(&self, now_ms: u64) -> Link {
        match (self.receiver.link(now_ms), self.path) {
            (LinkState::Away | LinkState::Connecting, _) => Link::Away,
            (LinkState::Slow, _) => Link::Slow,
            (LinkState::Good { rtt_ms }, _) if rtt_ms >= SLOW_MS => Link::Slow,
            (LinkState::Good { .. }, Path::Direct) => Link::Direct,
            (LinkState::Good { .. }, Path::Internet) => Link::Internet,
            (LinkState::Good { .. }, Path::Relayed) => Link::Relayed,
            (LinkState::Good { .. }, Path::Passed) => Link::Passed,
        }
    }

    /// Inputs that the server has not confirmed yet.
    pub fn unacknowledged(&self) -> usize {
        self.receiver.unacknowledged()
    }

    /// Those of them that the server has not answered in any way.
    pub fn unanswered(&self) -> usize {
        self.receiver.unanswered()
    }

    pub(super) fn look_at_link(&mut self, now_ms: u64) -> Link {
        let link = self.link(now_ms);
        self.looked_ms = now_ms;
        self.patience.note(now_ms, self.receiver.link(now_ms));
        link
    }
}
