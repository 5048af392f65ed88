//! Every limit and timer of a session.

pub use tresen_wire::limits::{FRAMES_IN_FLIGHT, INPUTS_OPEN};

/// A client that has heard nothing for so long asks whether anybody is there.
pub const KEEP_ALIVE_MS: u64 = 10_000;
/// A server that has heard nothing for so long asks whether anybody is there.
pub const SERVER_KEEP_ALIVE_MS: u64 = 15_000;
/// An input without an answer for so long makes the client ask whether anybody is there.
pub const INPUT_PROBE_MS: u64 = 1_000;
/// A question without an answer for so long makes the link [`crate::LinkState::Slow`].
pub const SLOW_MS: u64 = 800;
/// A client gives a connection up that left its question unanswered for so long.
pub const CLIENT_DEAD_MS: u64 = 8_000;
/// A client gives a connection up that brought no welcome for so long.
pub const WELCOME_MS: u64 = 10_000;
/// A server gives a connection up that was silent for so long.
pub const SERVER_DEAD_MS: u64 = 30_000;
/// A frame without an acknowledgement for so long makes the server ask.
pub const FRAME_PROBE_MS: u64 = 6_000;
/// The acknowledgement of a frame waits so long for something that the client has to say anyway: the next tap, mostly.
pub const ACK_RIDES_MS: u64 = 4_000;
/// In a session that had guesses, a larger frame is acknowledged at once, so that it does not take their room, in bytes.
pub const ACK_RIDES_BYTES: usize = 512;
/// In any other a larger frame is, so that it does not keep the first guess from coming.
pub const ACK_RIDES_UNGUESSED_BYTES: usize = GUESS_BYTES_IN_FLIGHT - GUESS_BYTES;
/// A server asks again when its question has no answer after this.
pub const QUESTION_AGAIN_MS: u64 = 5_000;
/// An input without an answer is sent again after this.
pub const INPUT_AGAIN_MS: u64 = 5_000;
/// An input with an answer, but without an acknowledgement, is sent again after this: longer than a server puts its mark off.
pub const ANSWERED_AGAIN_MS: u64 = 30_000;
/// A request for a fresh frame is repeated after this.
pub const NAK_AGAIN_MS: u64 = 3_000;
/// Fresh frames that a client may ask for at once.
pub const REPAIRS: u32 = 8;
/// After so long it may ask for one more.
pub const REPAIR_MS: u64 = 1_000;
/// Inputs that a client may be ahead of what the server knows, as after a backup was restored: more than a device is tapped in its life.
pub const INPUTS_AHEAD: u64 = 1 << 24;
/// Roots on which an input may stand: the last ones that the client acknowledged. Those in flight count too.
pub const RECENT_ROOTS: usize = 16;
/// Guesses that either end keeps; a client may offer fewer. Enough for what is done over and over in an evening.
pub const GUESSES_KEPT: usize = 512;
/// Guesses that may build on each other, counted from the screen that the client has.
pub const GUESS_DEPTH: usize = 4;
/// Guesses that may be sent without an acknowledgement.
pub const GUESSES_IN_FLIGHT: usize = 16;
/// Bytes that may be under way, frames included, for another guess to be sent: what the next frame may have to wait for.
pub const GUESS_BYTES_IN_FLIGHT: usize = 3_000;
/// Largest message of a guess, in bytes.
pub const GUESS_BYTES: usize = 1_200;
/// Round trips may take so much longer than they could, and half as long again, before no guesses are sent.
pub const GUESS_JITTER_MS: u64 = 40;
/// A guess that is neither confirmed nor corrected after this is no longer shown.
pub const GUESS_SHOWN_MS: u64 = 4_000;
/// Inputs that a client may have answered by itself without hearing from the server.
pub const GUESSES_OPEN: usize = 32;
/// A client that brings inputs along sees a screen when these have their effect, or after this, in ms.
pub const CATCH_UP_MS: u64 = 3_000;
/// Control messages that may wait to be sent.
pub const OUTBOX: usize = 160;
