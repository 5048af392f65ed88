//! `tresen-edge`.

fn main() {}
