//! Sessions in simulated time: a person at a handheld, a server that is killed now and then, others who change what everybody sees,
//! and a network of the worse kind between them.
//!
//! ```text
//! person -> Receiver -> connection (transport) -> path (wan) -> connection -> Sender -> app -> marks on disk
//!                    <-                        <-            <-            <-     <- others
//! ```
//!
//! [`Episode`] is one seed: everything that happens follows from it. After each step, and in rests in which the network behaves, the
//! checker holds what comes out against what went in; what it holds to stands in [`checker`]. [`Fault`] breaks a promise on purpose: a
//! checker that can't fail proves nothing.
//!
//! Not for: real time and sockets; the till (its own tests); what a message means.

pub mod app;
mod broken;
mod checker;
mod client;
mod episode;
mod guesser;
mod guesses;
mod ledger;
mod person;
mod reach;
mod script;
mod server;
pub mod transport;
mod trouble;

use std::str::FromStr;

pub use broken::Broken;
pub use client::Notice;
pub use episode::{Episode, Figures};

use transport::Packet;

/// What a connection runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// It survives a change of address; a server that was killed does not answer old connections.
    Quic,
    /// It does not; a server that was killed refuses what it does not know.
    Tcp,
    /// As QUIC, but it loses, repeats, swaps and changes messages. No transport of ours does; the ends heal from it all the same.
    Rotten,
}

/// A promise to break, to see that it is noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// None.
    #[default]
    None,
    /// The server takes frames that never arrived for arrived ones.
    ForgetUndo,
    /// The client loses an input that it took.
    ClientForgetsInput,
    /// The server acknowledges an input that it never hands to the app.
    ServerForgetsInput,
    /// The server hands an input to the app twice.
    ServerDoublesInput,
    /// The server acknowledges inputs before they are on disk.
    EarlyAck,
    /// The server does not show what an input changed until something else happens.
    StaleScreen,
    /// The client leaves out what it should paint.
    MissedDamage,
    /// The client asks each second whether anybody is there.
    Chatter,
    /// The client answers an input with a guess for another one.
    GuessForAnother,
    /// The client goes on showing a guess when the server has answered.
    SticksToGuess,
}

/// All faults, by the names that a command line knows.
pub const FAULTS: &[(&str, Fault)] = &[
    ("none", Fault::None),
    ("forget-undo", Fault::ForgetUndo),
    ("client-forgets-input", Fault::ClientForgetsInput),
    ("server-forgets-input", Fault::ServerForgetsInput),
    ("server-doubles-input", Fault::ServerDoublesInput),
    ("early-ack", Fault::EarlyAck),
    ("stale-screen", Fault::StaleScreen),
    ("missed-damage", Fault::MissedDamage),
    ("chatter", Fault::Chatter),
    ("guess-for-another", Fault::GuessForAnother),
    ("sticks-to-guess", Fault::SticksToGuess),
];

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = FAULTS.iter().find(|(name, _)| *name == text);
        known.map(|(_, fault)| *fault).ok_or_else(|| {
            let names: Vec<&str> = FAULTS.iter().map(|(name, _)| *name).collect();
            format!("there is no fault '{text}'; there are {}", names.join(", "))
        })
    }
}

/// A packet between the two ends.
#[derive(Clone, Debug)]
struct Envelope {
    connection: u64,
    /// The client's address: from where it comes, or where it goes to.
    address: u64,
    bytes: usize,
    packet: Packet,
}

const fn ms(now_us: u64) -> u64 {
    now_us / 1_000
}
