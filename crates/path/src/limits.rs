//! Every limit and timer of paths.

/// Handles of its edge server that a client gets, for the first ids of its connections.
pub const FIRST_HANDLES: usize = 8;
/// A cookie is good for this long at least, and twice as long at most.
pub const COOKIE_MS: u64 = 10_000;
/// Keys of the directory that are trusted at a time: the present one and the next.
pub const DIRECTORY_KEYS: usize = 2;
/// Revocations that are remembered; when there are more, all tokens from before are refused.
pub const REVOCATIONS: usize = 65_536;
/// Devices of one edge server among them; when there are more, all older tokens of this edge server are refused.
pub const REVOCATIONS_OF_EDGE: usize = 1_024;
/// Knocks of one round.
pub const KNOCKS: u32 = 10;
/// A knock without an answer is repeated after this, then after twice as long, and so on.
pub const KNOCK_FIRST_MS: u64 = 100;
/// Looks at a node's second port, until one is answered.
pub const LOOKS: u32 = 4;
/// Longest pause between two knocks of a round.
pub const KNOCK_LONGEST_MS: u64 = 1_000;
/// An endpoint knocks so often also when nothing seems to have changed.
pub const KNOCK_AGAIN_MS: u64 = 20_000;
/// Candidates that an end offers.
pub const CANDIDATES: usize = 12;
/// Addresses that an end learns from pings in one round.
pub const LEARNED: usize = 8;
/// When each address is pinged, from when it is known.
pub const PING_AFTER_MS: [u64; 8] = [0, 50, 150, 350, 750, 1_550, 2_550, 3_550];
/// Pings whose answer is waited for, of one round.
pub const PINGS: usize = 512;
/// Probes that may wait to be sent, of one round.
pub const PROBES_WAITING: usize = 64;
/// A round without a proven way ends after this.
pub const ROUND_MS: u64 = 6_000;
/// When what failed is tried again.
pub const RETRY_MS: [u64; 5] = [2_000, 10_000, 30_000, 120_000, 600_000];
/// The birthday method begins when plain probes had this long.
pub const BIRTHDAY_AFTER_MS: u64 = 200;
/// It ends after this.
pub const BIRTHDAY_MS: u64 = 4_200;
/// It is not tried again before.
pub const BIRTHDAY_PAUSE_MS: u64 = 60_000;
/// When it led somewhere, it is tried again with the same client after so many times as long as it ran: the others have at least this share of it.
pub const BIRTHDAY_MET_PAUSES: u64 = 4;
/// Sockets of the side with many.
pub const BIRTHDAY_SOCKETS: u32 = 256;
/// From one port to the next, of the side that tries many.
pub const BIRTHDAY_PORT_MS: u64 = 3;
/// Each of the many sockets sends again after this.
pub const BIRTHDAY_AGAIN_MS: u64 = 1_500;
/// How long after its last packet a way counts as used.
pub const BUSY_MS: u64 = 30_000;
/// A direct way that is used is asked so long after it was last heard.
pub const PING_BUSY_MS: u64 = 250;
/// One on which packets come is asked so long after its last answer at the latest.
pub const PING_TRAFFIC_MS: u64 = 1_000;
/// One at rest is asked so often.
pub const PING_IDLE_MS: u64 = 15_000;
/// Between two pings without an answer.
pub const PING_AGAIN_MS: u64 = 100;
/// A direct way is dead when pings had no answer for this long, or for two of its round trips.
pub const DEAD_MS: u64 = 500;
/// And so many of them.
pub const DEAD_PINGS: u32 = 4;
/// A way that is so much shorter, and by three tenths, is worth another migration.
pub const SHORTER_MS: u64 = 5;
/// Rounds that an edge server keeps.
pub const ROUNDS: usize = 1_024;
/// From one offer of a connection to the next that is answered.
pub const OFFER_PAUSE_MS: u64 = 1_000;
/// Probes that a client keeps until the answer to its offer has come.
pub const EARLY_PROBES: usize = 8;
/// From one offer of a client to its next: longer, because the way takes longer for some than for others.
pub const OFFER_AGAIN_MS: u64 = OFFER_PAUSE_MS + 300;
