//! What is counted of a session.

/// What a sender has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections opened.
    pub connections: u64,
    /// Of these, those whose slots were still good.
    pub resumed: u64,
    /// Messages sent.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames sent.
    pub frames: u64,
    /// Their bytes.
    pub frame_bytes: u64,
    /// Fresh frames that a client asked for.
    pub repairs: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Time from a frame to its acknowledgement, smoothed.
    pub rtt_ms: Option<u64>,
}
