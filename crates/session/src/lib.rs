//! The two ends of a session as state machines.
//!
//! A session belongs to a device and an instance, and outlives connections. [`Sender`] is the server's end, [`Receiver`] the client's.
//! Neither knows sockets or clocks: a shell feeds in what arrived and what time it is, and asks what is to be sent.
//!
//! Order of calls, for both ends:
//! 1. `connect` when a connection stands, `disconnect` when it is gone;
//! 2. `handle` for each message that arrives, in order;
//! 3. after anything: `poll_transmit` until it gives `None`, each result is one message;
//!    for a sender also `poll_event` until `None` after [`Sender::acknowledge_input`];
//! 4. `poll_timeout` says when to call `handle_timeout`.
//!
//! Times are milliseconds since any fixed moment, never going backwards.
//!
//! What the ends hold to:
//! - **Screens.** At most two frames are in flight; what is shown meanwhile collapses into the next. A frame builds on the last one sent;
//!   what was in flight when a connection broke is taken back, unless the client's digest says that it arrived.
//! - **Repair.** A client that misses a frame, or gets one that does not fit, says so and gets a fresh one that needs nothing.
//! - **Inputs.** Numbered; handed to the app once and in order; kept by the client until they are acknowledged, which the app tells
//!   ([`Sender::acknowledge_input`]) when their effects are on disk.
//! - **Idle.** A ping and a pong each [`limits::KEEP_ALIVE_MS`], nothing else.
//!
//! Not for: what the bytes look like (`tresen-wire`), who may connect, what an input means.

mod error;
mod flight;
pub mod limits;
mod offers;
mod receiver;
mod receiver_guesses;
mod receiver_inputs;
mod receiver_link;
mod receiver_screens;
mod sender;
mod sender_frames;
mod sender_guesses;
mod sender_inputs;
mod stats;

pub use error::PeerError;
pub use receiver::{LinkState, Receiver, ReceiverEvent, Resume};
pub use receiver_guesses::GuessStats;
pub use sender::{Sender, SenderEvent};
pub use sender_guesses::{Foresight, NoGuess};
pub use stats::Stats;
