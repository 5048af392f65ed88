//! Promises about pictures: what is kept of an upload, what is refused, what a screen gets.

use std::io::Cursor;
use std::sync::Arc;

use image::{DynamicImage, GenericImageView, ImageFormat, Rgba, RgbaImage};
use tresen_scene::{Namer, Size};
use tresen_typeset::{ImageError, Scaled, Typesetter, limits, normal_photo};

/// Red at the left, blue at the right, and `alpha`.
fn picture(w: u32, h: u32, alpha: u8) -> DynamicImage {
    let color = |x, _| if x < w / 2 { Rgba([200, 20, 20, alpha]) } else { Rgba([20, 20, 200, alpha]) };
    DynamicImage::ImageRgba8(RgbaImage::from_fn(w, h, color))
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = if format == ImageFormat::Jpeg { picture.to_rgb8().into() } else { picture.clone() };
    picture.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

fn kept(bytes: &[u8]) -> DynamicImage {
    let kept = normal_photo(bytes).expect("taken");
    image::load_from_memory_with_format(&kept, ImageFormat::Jpeg).expect("a JPEG")
}

fn is_reddish([r, _, b, _]: [u8; 4]) -> bool {
    r > 150 && b < 90
}

/// Promise: what is kept is bounded, whatever was uploaded.
#[test]
fn a_picture_is_kept_small() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let kept = kept(&encoded(&picture(1600, 800, 255), format));
        assert_eq!(kept.dimensions(), (limits::PHOTO_SIDE_PX, limits::PHOTO_SIDE_PX / 2), "{format:?}");
        assert!(is_reddish(kept.get_pixel(40, 40).0) && !is_reddish(kept.get_pixel(400, 40).0));
    }
    assert_eq!(kept(&encoded(&picture(30, 20, 255), ImageFormat::Png)).dimensions(), (30, 20));
    assert_eq!(kept(&encoded(&picture(4_000, 1, 255), ImageFormat::Png)).dimensions(), (512, 1));
    let clear = kept(&encoded(&picture(30, 20, 0), ImageFormat::Png)).get_pixel(3, 3).0;
    assert!(clear.iter().all(|value| *value > 250), "on white: {clear:?}");
    let noise = RgbaImage::from_fn(900, 900, |x, y| {
        let seed = (x * 7_919 + y * 104_729).wrapping_mul(2_654_435_761);
        Rgba([seed as u8, (seed >> 8) as u8, (seed >> 16) as u8, 255])
    });
    let noise = normal_photo(&encoded(&noise.into(), ImageFormat::Png)).expect("taken");
    assert!(noise.len() <= 4 * limits::PHOTO_BYTES, "{} bytes of noise", noise.len());
}

/// Promise: a progressive picture looks as any other.
#[test]
fn a_progressive_picture_is_unpacked_whole() {
    let kept = normal_photo(include_bytes!("pictures/progressive.jpg")).expect("taken");
    let kept = image::load_from_memory(&kept).expect("a JPEG").into_rgb8();
    let (top, bottom) = (kept.get_pixel(32, 2).0, kept.get_pixel(32, 45).0);
    assert!(top[0] > 200 && top[2] < 60 && bottom[0] < 60 && bottom[2] > 200, "{top:?} to {bottom:?}");
}

/// Promise: nothing but pixels is kept of a phone's picture: it stands upright, and says neither where nor with what it was taken.
#[test]
fn a_phones_picture_stands_upright_and_tells_nothing() {
    let mut tiff = b"Exif\0\0II*\0\x08\0\0\0".to_vec();
    tiff.extend([2, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
    tiff.extend([0x0f, 1, 2, 0, 12, 0, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend(b"52.5N 13.4E\0");
    let mut bytes = encoded(&picture(60, 40, 255), ImageFormat::Jpeg);
    let mut segment = vec![0xff, 0xe1, 0, (tiff.len() + 2) as u8];
    segment.extend(tiff);
    bytes.splice(2..2, segment);
    let found = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    assert!(found(&bytes, b"52.5N"));
    let normal = normal_photo(&bytes).expect("taken");
    assert!(!found(&normal, b"52.5N") && !found(&normal, b"Exif"));
    let upright = kept(&bytes);
    assert_eq!(upright.dimensions(), (40, 60), "turned by a quarter");
    assert!(is_reddish(upright.get_pixel(20, 5).0) && !is_reddish(upright.get_pixel(20, 55).0));
}

/// Promise: hostile pictures are refused with a reason.
#[test]
fn hostile_pictures_are_refused() {
    let refused = |bytes: &[u8]| normal_photo(bytes).expect_err("refused");
    let png = encoded(&picture(90, 90, 255), ImageFormat::Png);
    assert_eq!(refused(b""), ImageError::Unknown);
    assert_eq!(refused(b"GIF89a\x01\0\x01\0"), ImageError::Unknown);
    assert_eq!(refused(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ImageError::Unknown);
    assert!(matches!(refused(&png[..60]), ImageError::Damaged(_)));
    assert!(matches!(refused(&png[..9]), ImageError::Damaged(_)));
    let jpeg = encoded(&picture(90, 90, 255), ImageFormat::Jpeg);
    assert!(matches!(refused(&jpeg[..30]), ImageError::Damaged(_)));
    assert!(matches!(refused(&vec![0; limits::IMAGE_BYTES + 1]), ImageError::TooLarge { .. }));
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 255, 255, 0, 0, 255, 255]);
    let crc = crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(refused(&bomb), ImageError::TooManyPixels { width: 65_535, height: 65_535 });
}

/// Promise: pictures that move are refused.
#[test]
fn animations_are_refused() {
    let png = encoded(&picture(9, 9, 255), ImageFormat::Png);
    let mut control = b"acTL\0\0\0\x02\0\0\0\0".to_vec();
    let crc = crc(&control);
    control.extend(crc.to_be_bytes());
    let mut moving = png;
    moving.splice(33..33, [vec![0, 0, 0, 8], control].concat());
    assert_eq!(normal_photo(&moving), Err(ImageError::Animated));
    let mut webp =
        b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x08\0\0\x08\0\0ANIM\x06\0\0\0\0\0\0\0\0\0".to_vec();
    webp.extend(b"ANMF\x10\0\0\0\0\0\0\0\0\0\x08\0\0\x08\0\0\x10\0\0\0");
    let length = (webp.len() - 8) as u32;
    webp[4..8].copy_from_slice(&length.to_le_bytes());
    let refused = normal_photo(&webp);
    assert!(matches!(refused, Err(ImageError::Animated | ImageError::Damaged(_))), "{refused:?}");
}

/// Promise: a colour profile that unpacks without an end costs bounded memory.
#[cfg(target_os = "linux")]
#[test]
fn a_profile_that_unpacks_without_an_end_is_bounded() {
    // A zlib stream of one literal and a gigabyte of repeats, in fixed codes (RFC 1951, section 3.2.6).
    let (mut stream, mut hold, mut held) = (vec![0x78, 0x01], 0_u64, 0);
    let mut put = |bits: u64, count: u32| {
        hold |= bits << held;
        held += count;
        while held >= 8 {
            stream.push(hold as u8);
            hold >>= 8;
            held -= 8;
        }
    };
    put(0b011, 3);
    put(0b0000_1100, 8);
    for _ in 0..(1 << 30) / 258 {
        put(0b1010_0011, 13);
    }
    put(0, 16);
    let mut chunk = b"iCCPbomb\0\0".to_vec();
    chunk.extend(stream);
    let mut bytes = encoded(&picture(9, 9, 255), ImageFormat::Png);
    let length = (chunk.len() - 4) as u32;
    let crc = crc(&chunk);
    bytes.splice(33..33, [length.to_be_bytes().to_vec(), chunk, crc.to_be_bytes().to_vec()].concat());
    let _taken_or_not = normal_photo(&bytes);
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(peak_kib << 10 < 3 * limits::IMAGE_MEMORY_BYTES, "{peak_kib} KiB");
}

/// PNG's checksum (ISO/IEC 15948, annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

/// Promise: a photo is scaled once for each size, fills its place and has round upper corners.
#[test]
fn a_photo_fills_its_place() {
    let typesetter = Typesetter::new(Namer::new([7; 32]));
    let bytes = encoded(&picture(64, 64, 255), ImageFormat::Png);
    let photo = |size, radius| typesetter.photo(&bytes, size, radius);
    let (w, h) = (40, 20);
    let sprite = photo(Size::new(w, h), 6).expect("scaled");
    assert_eq!(sprite.size(), Size::new(w, h));
    assert!(Arc::ptr_eq(&sprite, &photo(Size::new(w, h), 6).expect("known")));
    let at = |x: i32, y: i32| -> [u8; 4] {
        std::array::from_fn(|part| sprite.rgba()[((y * w + x) * 4) as usize + part])
    };
    assert_eq!([at(0, 0)[3], at(w - 1, 0)[3], at(0, h - 1)[3], at(w / 2, 0)[3]], [0, 0, 255, 255]);
    assert!(is_reddish(at(5, 10)) && !is_reddish(at(35, 10)));
    assert!(matches!(photo(Size::new(0, 8), 0), Err(ImageError::Target(_))));
    assert!(typesetter.photo(b"nothing", Size::new(8, 8), 0).is_err());
}

/// Promise: a photo that somebody shows is not scaled again, however many others were scaled since; one that can't be read is looked at once.
#[test]
fn what_is_shown_is_not_scaled_again() {
    let typesetter = Typesetter::new(Namer::new([7; 32]));
    let bytes: Arc<[u8]> = encoded(&picture(64, 64, 255), ImageFormat::Png).into();
    let size = Size::new(40, 20);
    let Scaled::NotYet(wanted) = typesetter.photo_if_scaled(&bytes, size, 6) else { panic!("nobody has") };
    let shown = typesetter.scale(&wanted).expect("scaled");
    let others = |typesetter: &Typesetter| {
        (0..limits::SPRITES as i32).for_each(|more| {
            typesetter.photo(&bytes, Size::new(1 + more % 20, 1 + more / 20), 0).expect("scaled");
        });
    };
    others(&typesetter);
    let Scaled::Here(found) = typesetter.photo_if_scaled(&bytes, size, 6) else { panic!("it is shown") };
    assert!(Arc::ptr_eq(&found, &shown));
    drop((found, shown));
    others(&typesetter);
    assert!(matches!(typesetter.photo_if_scaled(&bytes, size, 6), Scaled::NotYet(again) if again == wanted));
    let nothing: Arc<[u8]> = b"nothing".as_slice().into();
    let Scaled::NotYet(wanted) = typesetter.photo_if_scaled(&nothing, size, 6) else { panic!("nobody has") };
    assert!(typesetter.scale(&wanted).is_none());
    assert!(matches!(typesetter.photo_if_scaled(&nothing, size, 6), Scaled::Never));
}
