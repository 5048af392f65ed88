//! Links as state machines: what is put in at one end comes out at the other, later, or not at all.
//!
//! - [`Profile`]: what a path is like, by name (`far`) or written out (`far,loss=2%,outage=5s/3m`);
//! - [`Link`]: one direction for datagrams, which are delayed, lost, reordered and doubled;
//! - [`Stream`]: one direction of a reliable byte stream over such a link (TCP as its user sees it): a loss is a stall;
//! - [`Weather`]: when a path is down, and when the client gets another address;
//! - [`Path`]: both directions and the weather.
//!
//! The way of a packet through a link:
//!
//! ```text
//! put in -> jitter (order kept) -> queue (drops at its tail) -> bottleneck (bits a second) -> loss -> delay -> out
//!                                                                               held back, doubled ^
//! ```
//!
//! Invariants: what comes out never exceeds the bandwidth (jitter lies before the bottleneck); order is kept except for what
//! is held back on purpose; the same seed and the same calls give the same answers. Times are microseconds and never go back.
//!
//! Not for: sockets and clocks (`tresen_loadtest::wan`).

mod link;
mod loss;
mod path;
mod profile;
mod stream;
mod text;
mod weather;

pub use link::{Fate, Link};
pub use path::{Direction, Happening, Path};
pub use profile::{PROFILES, Profile, Spells, Way};
pub use stream::Stream;
pub use text::ProfileError;
pub use weather::{Change, Weather};

/// A millisecond, in microseconds.
pub const MS: u64 = 1_000;
/// A second, in microseconds.
pub const SECOND: u64 = 1_000 * MS;
/// A minute, in microseconds.
pub const MINUTE: u64 = 60 * SECOND;
/// An hour, in microseconds.
pub const HOUR: u64 = 60 * MINUTE;
