//! Promise: unpacking a picture takes no more memory than [`limits::IMAGE_MEMORY_BYTES`], whichever way it is packed. Alone in its file, because it looks
//! at the whole process.
#![cfg(target_os = "linux")]

use tresen_typeset::{limits, normal_photo};

const PROGRESSIVE: &[u8] = include_bytes!("pictures/progressive.jpg");
const PROGRESSIVE_CMYK: &[u8] = include_bytes!("pictures/progressive-cmyk.jpg");

/// A frame's header up to its number of colours (ITU-T T.81, section B.2.2).
fn frame(jpeg: &mut [u8]) -> &mut [u8] {
    let at = jpeg.windows(2).position(|pair| matches!(pair, [0xff, 0xc0 | 0xc2])).expect("it has a frame");
    &mut jpeg[at..]
}

/// The same JPEG, said to have so many pixels: what its scans don't bring is grey.
fn blown_up(jpeg: &[u8], w: u16, h: u16) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    let frame = frame(&mut jpeg);
    frame[5..7].copy_from_slice(&h.to_be_bytes());
    frame[7..9].copy_from_slice(&w.to_be_bytes());
    jpeg
}

/// With the colours of a JPEG sampled as finely as its brightness.
fn finely_sampled(mut jpeg: Vec<u8>) -> Vec<u8> {
    let frame = frame(&mut jpeg);
    for color in 0..usize::from(frame[9]) {
        frame[11 + 3 * color] = 0x11;
    }
    jpeg
}

/// What one scan brings, in a scan for each colour.
fn in_several_scans(w: u16, h: u16) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let pixels = vec![200; 64 * 48 * 3];
    image::codecs::jpeg::JpegEncoder::new(&mut jpeg)
        .encode(&pixels, 64, 48, image::ExtendedColorType::Rgb8)
        .expect("encoded");
    let scan = jpeg.windows(2).position(|pair| pair == [0xff, 0xda]).expect("it has a scan");
    jpeg.splice(scan + 3..scan + 11, [8, 1, 1, 0x00]);
    blown_up(&jpeg, w, h)
}

/// What the system says of this process's memory, in bytes: `VmSize` is what it has, `VmPeak` the most that it ever had.
fn memory_bytes(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(which)).expect("it is said");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

#[test]
fn unpacking_takes_no_more_memory_than_it_may() {
    let before = memory_bytes("VmSize");
    let refused = |jpeg: &[u8], why: &str| {
        let refused = normal_photo(jpeg).map(|kept| kept.len()).expect_err(why).to_string();
        assert!(refused.contains("memory"), "{why}: {refused}");
    };
    assert!(normal_photo(PROGRESSIVE).is_ok() && normal_photo(PROGRESSIVE_CMYK).is_ok());
    refused(&finely_sampled(blown_up(PROGRESSIVE, 7_000, 7_000)), "9 bytes a pixel");
    refused(&blown_up(PROGRESSIVE, 7_000, 7_000), "6 bytes a pixel");
    refused(&finely_sampled(blown_up(PROGRESSIVE_CMYK, 5_000, 5_000)), "11 bytes a pixel");
    refused(&in_several_scans(7_000, 7_000), "9 bytes a pixel");
    let mut hidden = blown_up(PROGRESSIVE, 7_000, 7_000);
    hidden.splice(2..2, *b"\xff\xe0\0\x06hid\xff");
    refused(&hidden, "its headers are read one byte off");

    // Phones' pictures, and the largest that are taken.
    for (jpeg, w, h) in [
        (PROGRESSIVE.to_vec(), 4_000, 3_000),
        (finely_sampled(PROGRESSIVE.to_vec()), 4_608, 3_456),
        (PROGRESSIVE.to_vec(), 6_100, 6_100),
        (finely_sampled(PROGRESSIVE_CMYK.to_vec()), 4_400, 4_400),
    ] {
        let kept = normal_photo(&blown_up(&jpeg, w, h));
        assert!(kept.is_ok(), "{w} x {h}: {kept:?}");
        let taken = memory_bytes("VmPeak").saturating_sub(before);
        assert!(taken <= limits::IMAGE_MEMORY_BYTES, "{w} x {h} took {taken} bytes");
        println!("{w} x {h}: {} MB at most by now", taken / 1_000_000);
    }
}
