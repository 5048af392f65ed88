//! What every thin client shares: it keeps a session's screen painted and turns fingers, keys and scanners into inputs.
//!
//! A client knows nothing of sales, fonts or layout, and stores nothing but who it is. It does no input and output and reads no clock: a
//! shell (browser, desktop window, Android) hands in what happened, and carries out what it asks for.
//!
//! Order of calls, for a shell:
//! 1. [`Client::connected`] when a connection is open, [`Client::handle`] for each message, [`Client::disconnected`] when it is gone;
//!    how long to wait before the next attempt says [`Backoff`].
//! 2. [`Client::pointer`], [`Client::wheel`], [`Client::key`], [`Client::edit`] for what a person does.
//! 3. After any of these: [`Client::poll_event`] and [`Client::poll_transmit`] until `None`, [`Client::poll_timeout`], and with the next
//!    picture of the display [`Client::paint`].
//!
//! Invariants:
//! - After `paint` the canvas shows what painting everything anew would show.
//! - While there is no link the last screen stays, and inputs wait, a bounded number of them.
//! - A scanner's code is never taken for keys, nor a person's keys for a code.

mod backoff;
mod client;
mod gesture;
mod keyboard;
mod look;
mod momentum;
mod outline;
mod painter;
mod patience;
mod waiting;

pub use backoff::{Backoff, LONGEST_MS};
pub use client::{Client, Editing, Event, Path, Report};
pub use gesture::{HOLD_MS, PULL_DP, Pointer, SLOP_DP};
pub use keyboard::{BURST_GAP_MS, KeyPress, LONGEST_SCAN_CHARACTERS, PAUSE_MS, SCAN_CHARACTERS};
pub use look::{DOT_PLACE_DP, Link, link_dot};
pub use outline::{Area, Item, ItemKind, Outline, outline};
pub use waiting::WAITING_MS;
