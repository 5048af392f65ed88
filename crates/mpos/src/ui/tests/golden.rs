//! Golden pictures: what was drawn is compared with a PNG beside the tests.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use tresen_scene::{Canvas, Node, Pressed, Rect, ScrollOffsets, Size};

/// Compares `root`, painted at `size`, with `name`.png; with TRESEN_RENEW=1 it becomes the picture.
pub fn check(name: &str, root: &Node, size: Size, pressed: Option<&Pressed>) {
    let mut canvas = Canvas::new(size);
    canvas.paint(root, &[Rect::of_size(size)], &ScrollOffsets::default(), pressed);
    let (_, pixels) = canvas.rgba(Rect::of_size(size));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui/tests/golden").join(format!("{name}.png"));
    if renews() {
        write(&path, size, &pixels);
        return;
    }
    let (golden_size, golden) = read(&path);
    let wrong = golden.chunks_exact(4).zip(pixels.chunks_exact(4)).filter(|(one, two)| one != two).count();
    if golden_size != size || wrong > 0 {
        let new = path.with_extension("new.png");
        write(&new, size, &pixels);
        panic!(
            "{name} looks different: {wrong} pixels, {golden_size:?} before, {size:?} now.\n  before: {}\n  now:    {}\n\
             When the new one is right: TRESEN_RENEW=1 cargo test -p tresen-mpos",
            path.display(),
            new.display()
        );
    }
}

#[allow(clippy::disallowed_methods, reason = "the person who runs the tests says so")]
fn renews() -> bool {
    std::env::var_os("TRESEN_RENEW").is_some_and(|value| value == "1")
}

fn write(path: &PathBuf, size: Size, pixels: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = BufWriter::new(File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, size.w as u32, size.h as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let rgb: Vec<u8> = pixels.chunks_exact(4).flat_map(|pixel| &pixel[..3]).copied().collect();
    encoder.write_header().unwrap().write_image_data(&rgb).unwrap();
}

fn read(path: &PathBuf) -> (Size, Vec<u8>) {
    let Ok(file) = File::open(path) else { return (Size::default(), Vec::new()) };
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    let pixels = rgb.chunks_exact(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect();
    (Size::new(info.width as i32, info.height as i32), pixels)
}
