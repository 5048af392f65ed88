//! `cargo xtask`: every command a person needs.

fn main() {}
