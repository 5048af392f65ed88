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

/// What a decoder keeps of a JPEG beside its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JpegKind {
    /// One scan brings all: a few rows at a time are unpacked.
    Rows,
    /// Progressive, or one scan for each colour: every coefficient is kept until the last scan has come.
    Whole {
        /// How many coefficients.
        coefficients: u64,
    },
    /// Its headers are not read here as a decoder may read them: anything is possible.
    Unclear,
}

/// Markers of a JPEG (ITU-T T.81, table B.1).
const SOF: std::ops::RangeInclusive<u8> = 0xc0..=0xc2;
const PROGRESSIVE: u8 = 0xc2;
const SCAN: u8 = 0xda;
const APP0: u8 = 0xe0;
/// Markers that nothing follows, which have no place before the first scan, and what is no marker.
const ALONE: [std::ops::RangeInclusive<u8>; 2] = [0x00..=0x01, 0xd0..=0xd9];
/// Of an APP0 of this length, counted with its own two bytes, zune-jpeg 0.5 reads one byte more than it has.
const MISREAD_APP0: usize = 6;
/// Samples of a block, each way.
const BLOCK: u64 = 8;

/// What a decoder keeps of a JPEG of so many pixels. Whatever is not plain is [`JpegKind::Unclear`], so that nobody hides what is to come.
pub(crate) fn jpeg_kind(bytes: &[u8], size: (u32, u32)) -> JpegKind {
    frame_and_scan(bytes, size).unwrap_or(JpegKind::Unclear)
}

fn frame_and_scan(bytes: &[u8], size: (u32, u32)) -> Option<JpegKind> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    let mut frame = None;
    loop {
        rest = rest.strip_prefix(b"\xff")?;
        while let Some(filled) = rest.strip_prefix(b"\xff") {
            rest = filled;
        }
        let (marker, after) = rest.split_first()?;
        let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
        let segment = after.get(2..length)?;
        if ALONE.iter().any(|alone| alone.contains(marker)) || (*marker, length) == (APP0, MISREAD_APP0) {
            return None;
        }
        if SOF.contains(marker) {
            frame = Some((*marker, segment));
        } else if *marker == SCAN {
            let (marker, header) = frame?;
            let parts = header.get(6..)?.as_chunks::<3>().0;
            let whole = marker == PROGRESSIVE || usize::from(*segment.first()?) != parts.len();
            let coefficients = coefficients(header, size)?;
            return Some(if whole { JpegKind::Whole { coefficients } } else { JpegKind::Rows });
        }
        rest = after.get(length..)?;
    }
}

/// Coefficients of a frame (section B.2.2): whole blocks of every colour, in whole groups of blocks. `None` when the size is another one.
fn coefficients(header: &[u8], size: (u32, u32)) -> Option<u64> {
    let [_, h0, h1, w0, w1, count] = *header.first_chunk()?;
    let (w, h) = (u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]));
    let parts = header.get(6..)?.as_chunks::<3>().0;
    if (u32::from(w), u32::from(h)) != size || usize::from(count) != parts.len() {
        return None;
    }
    let sampling =
        || parts.iter().map(|[_, sampling, _]| (u64::from(sampling >> 4), u64::from(sampling & 15)));
    let most_x = sampling().map(|(x, _)| x).max()?.max(1);
    let most_y = sampling().map(|(_, y)| y).max()?.max(1);
    let groups = u64::from(w).div_ceil(BLOCK * most_x) * u64::from(h).div_ceil(BLOCK * most_y);
    Some(sampling().map(|(x, y)| groups * x * y * BLOCK * BLOCK).sum())
}
