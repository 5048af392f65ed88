//! Every limit and timer of paths.

/// Handles of its edge server that a client gets, for the first ids of its connections.
pub const FIRST_HANDLES: usize = 8;
/// A cookie is good for this long at least, and twice as long at most.
pub const COOKIE_MS: u64 = 10_000;
/// Keys of the directory that are trusted at a time: the present one and the next.
pub const DIRECTORY_KEYS: usize = 4;
/// Revocations that are remembered; when there are more, all tokens from before are refused.
pub const REVOCATIONS: usize = 65_536;
/// Knocks of one round.
pub const KNOCKS: u32 = 10;
/// A knock without an answer is repeated after this, then after twice as long, and so on.
pub const KNOCK_FIRST_MS: u64 = 100;
/// Longest pause between two knocks of a round.
pub const KNOCK_LONGEST_MS: u64 = 1_000;
/// An endpoint knocks so often also when nothing seems to have changed.
pub const KNOCK_AGAIN_MS: u64 = 20_000;
