//! What the headers of a picture say before any decoder sees it. Nothing is unpacked and nothing is allocated here.

/// Bytes of PNG's signature, and of a chunk's length, name and checksum.
const PNG_SIGNATURE: usize = 8;
const PNG_CHUNK: usize = 12;
/// Where the flags of an extended WebP are, and the one of an animation (RFC 9649, section 2.7).
const WEBP_NAME: usize = 12;
const WEBP_FLAGS: usize = 20;
const WEBP_MOVES: u8 = 0b10;

/// Whether a PNG is an animation: `acTL` comes before its pixels, or it is none.
pub(crate) fn png_moves(bytes: &[u8]) -> bool {
    let mut at = PNG_SIGNATURE;
    while let Some((length, rest)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk::<4>()) {
        match rest.first_chunk::<4>() {
            Some(b"acTL") => return true,
            Some(b"IDAT" | b"IEND") | None => return false,
            Some(_) => at = at.saturating_add(PNG_CHUNK).saturating_add(u32::from_be_bytes(*length) as usize),
        }
    }
    false
}

/// Whether a WebP is an animation.
pub(crate) fn webp_moves(bytes: &[u8]) -> bool {
    let extended = bytes.get(WEBP_NAME..).is_some_and(|rest| rest.starts_with(b"VP8X"));
    extended && bytes.get(WEBP_FLAGS).is_some_and(|flags| flags & WEBP_MOVES != 0)
}
