//! Benchmarks, load and faults for Tresen.

#![allow(clippy::disallowed_methods, reason = "a shell: it measures time and starts processes")]

pub mod crash;
pub mod device;
pub mod guess;
pub mod handheld;
pub mod load;
pub mod peers;
pub mod reference;
pub mod relay;
pub mod screen;
pub mod wan;
