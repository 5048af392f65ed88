//! Fuzz targets for every parser: each takes bytes that anybody might send and does all that a program does with them.
//!
//! A target panics when a promise breaks. `tests/targets.rs` runs them over random bytes in `cargo test`; `cargo bolero test -p tresen-fuzz <name>`
//! runs one of them with coverage where that tool is installed.
//!
//! Not for: what the bytes mean; the crates' own tests hold that.

mod paths;
mod screens;
mod texts;

pub use paths::{admission_token, control, datagram, exchange, knock_answer, probe};
pub use screens::{changed_frame, frame, receiver, sender, to_client, to_server};
pub use texts::{events, handshake, licence, pairing_code};

/// Takes numbers from bytes; zeros after their end.
struct Numbers<'a>(std::slice::Iter<'a, u8>);

impl Numbers<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn below(&mut self, below: usize) -> usize {
        let number = usize::from(self.byte()) << 8 | usize::from(self.byte());
        number % below.max(1)
    }

    fn is_empty(&self) -> bool {
        self.0.len() == 0
    }
}
