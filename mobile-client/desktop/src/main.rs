//! `tresen-desktop`.

fn main() {}
