//! A glyph on its way to a client.

use tresen_scene::{Glyph, limits as scene_limits};

use crate::bytes::put_signed;
use crate::limits;
use crate::mask_code::put_mask;
use crate::server_table::TooBig;

/// A glyph: its text (one byte below 0x80, or 0x80 plus a length and the bytes), advance, bearing, mask.
pub(crate) fn put_glyph(out: &mut Vec<u8>, glyph: &Glyph) -> Result<(), TooBig> {
    let text = glyph.text().as_bytes();
    match text {
        [byte] if *byte < 0x80 => out.push(*byte),
        _ if text.len() > limits::GLYPH_TEXT_BYTES => return Err(TooBig("GLYPH_TEXT_BYTES")),
        _ => {
            out.push(0x80 | text.len() as u8);
            out.extend(text);
        }
    }
    let most = scene_limits::COORDINATE_PX;
    let bearing = glyph.bearing();
    if glyph.advance_64().abs() > limits::ADVANCE_64 || bearing.x.abs() > most || bearing.y.abs() > most {
        return Err(TooBig("ADVANCE_64"));
    }
    for value in [glyph.advance_64(), bearing.x, bearing.y] {
        put_signed(out, value);
    }
    put_mask(out, glyph.mask());
    Ok(())
}
