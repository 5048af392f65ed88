//! The handheld app: what a waiter sees and does, as pure functions.
//!
//! [`update`] takes a [`Message`] and returns [`Effect`]s as data; [`view`] draws the screen of an [`App`] in a [`World`].
//! Both are pure: the same arguments give the same result, but for photos that are scaled later ([`ui::Developing`]).
//!
//! Not for: money, tax and what may be booked (`tresen-till` decides), sessions, sockets, printers, hashing of PINs.
//!
//! Invariants:
//! - the app stores what the person did (ids, digits), never what the till says: another waiter's change shows at once;
//! - nothing is shown as booked before [`Message::Committed`];
//! - at most one commit is in flight, what is tapped meanwhile waits in order ([`limits::QUEUE`]);
//! - nothing here reads a clock, a file, a socket or randomness.

mod app;
mod effect;
mod guess;
mod habit;
mod looks_at;
mod message;
mod notice;
mod pin;
pub mod ui;
mod update;
mod view;
mod words;
mod world;

pub use app::App;
pub use effect::{Commit, Effect};
pub use guess::{Foreseen, Reach, guess};
pub use habit::{Habit, Memory, habit_of_key, habit_of_tap};
pub use looks_at::looks_at;
pub use message::{Failure, Key, Message, PinOutcome, ScrollArea, TableFilter, TablesLayout, Tap};
pub use pin::Pin;
pub use update::{update, wake_at};
pub use view::view;
pub use world::{NoPhotos, Photos, World};

/// Named limits of the app.
pub mod limits {
    /// Bookings that may wait for the one in flight.
    pub const QUEUE: usize = 32;
    /// Pixels of the photos of one screen; what is sold beyond that stands there without. Well below what a frame may bring, so that a screen
    /// can always be sent.
    pub const PHOTO_PIXELS: i32 = 5_000_000;
    /// Most photos of one screen: fewer than a typesetter keeps, so that all of them can be there at once.
    pub const PHOTOS: i32 = 200;
    /// Most digits of a PIN; the last digit of a person's PIN sends it.
    pub const PIN_DIGITS: usize = 8;
    /// Largest quantity that can be typed.
    pub const QUANTITY: u32 = 99;
    /// Most guests at a table.
    pub const GUESTS: u16 = 30;
    /// Largest amount that can be typed, in minor units.
    pub const TENDERED: i64 = 999_999;
    /// Longest note or search in bytes.
    pub const TEXT_BYTES: usize = 80;
    /// Characters of an unknown code that are shown.
    pub const CODE_CHARS: usize = 24;
    /// How long a notice stays, in milliseconds.
    pub const NOTICE_MS: i64 = 4_000;
    /// How long a notice stays that the server's end may have hidden, in milliseconds: the device has to come back first.
    pub const RESTORED_NOTICE_MS: i64 = 60_000;
    /// Minutes without anything happening at a table, after which it counts as late.
    pub const LATE_MINUTES: i64 = 30;
}
