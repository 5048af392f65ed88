//! Every screen as a picture, painted by the reference rasteriser.
//!
//! `TRESEN_RENEW=1 cargo test -p tresen-mpos --test screens` makes the pictures anew. A screen that looks different is left
//! beside its picture as `NAME.new.png`.

#![allow(clippy::disallowed_methods, reason = "asks whether pictures are to be made anew")]

mod common;

use std::fs;
use std::path::Path;

use common::House;
use common::screen::{Look, Screen};
use tresen_mpos::ui::Theme;
use tresen_mpos::{Message, Tap};
use tresen_scene::{Canvas, Node, Op, Rect};
use tresen_till::{Language, LineId, Manage, ModifierId, Money, Product, ProductId, TableId, demo};

const DARK: Look = Look { height_dp: 640, theme: Theme::Dark, language: Language::En, ..Look::PHONE };
const WIDE: Look = Look { width_dp: 1280, height_dp: 800, ..Look::PHONE };
const SIDE: Look = Look { width_dp: 640, height_dp: 360, ..Look::PHONE };
const SIDE_WIDE: Look = Look { width_dp: 800, height_dp: 360, scale_100: 150, ..DARK };
const FINE: Look = Look { height_dp: 640, scale_100: 300, ..Look::PHONE };

type Story = fn(&mut House);

/// What was done to come to each screen.
const PEOPLE: Story = |_| {};
const PIN: Story = |house| house.taps([Tap::Person(demo::ANNA), Tap::Digit(1), Tap::Digit(2)]);
const THROTTLED: Story = |house| {
    for _ in 0..3 {
        house.type_pin(demo::ANNA, "0000");
        house.tap(Tap::Back);
    }
    house.tap(Tap::Person(demo::ANNA));
};
const INPUTS_LOST: Story = |house| house.say(Message::InputsLost);
const NOT_BOOKED: Story = |house| {
    ORDER(house);
    house.hold = true;
    house.tap(Tap::Product(ProductId(101)));
    house.held.clear();
    house.say(Message::Failed(tresen_mpos::Failure::Disk));
};
const TABLES: Story = |house| house.type_pin(demo::ANNA, "1234");
const PLAN: Story = |house| {
    TABLES(house);
    house.tap(Tap::Layout(tresen_mpos::TablesLayout::Plan));
};
const SENT: Story = |house| {
    TABLES(house);
    house.taps([Tap::Filter(tresen_mpos::TableFilter::Mine), Tap::Table(TableId(4))]);
    house.taps([Tap::Product(ProductId(101)), Tap::Send]);
};
const NEW_ORDER: Story = |house| {
    TABLES(house);
    house.tap(Tap::Table(TableId(7)));
};
const ORDER: Story = |house| {
    TABLES(house);
    house.taps([Tap::Table(TableId(4)), Tap::Product(ProductId(101)), Tap::Product(ProductId(101))]);
    house.tap(Tap::Product(ProductId(103)));
};
const WHOLE_ORDER: Story = |house| {
    ORDER(house);
    house.tap(Tap::PullList);
};
const FOUND: Story = |house| {
    ORDER(house);
    house.tap(Tap::Search);
    house.say(Message::Text(Tap::SearchText, "sch".into()));
};
/// Some of what is sold has a photo, some has none.
const PHOTOS: Story = |house| {
    for (number, product) in (101..).zip([101, 102, 103, 105, 106, 108]) {
        house.show(product, number, glass(number));
    }
    ORDER(house);
};
const MODIFIERS: Story = |house| {
    ORDER(house);
    house.taps([
        Tap::Product(ProductId(301)),
        Tap::Modifier(ModifierId(103)),
        Tap::Modifier(ModifierId(402)),
    ]);
};
const MISSING: Story = |house| {
    MODIFIERS(house);
    house.tap(Tap::Accept);
};
const QUANTITY: Story = |house| {
    ORDER(house);
    house.taps([Tap::ProductDetails(ProductId(106)), Tap::Digit(1), Tap::Digit(2)]);
};
const LINE: Story = |house| {
    ORDER(house);
    house.tap(Tap::Line(LineId(4)));
};
const SENT_LINE: Story = |house| {
    ORDER(house);
    house.tap(Tap::Line(LineId(1)));
};
const GUESTS: Story = |house| {
    ORDER(house);
    house.tap(Tap::Guests);
};
const PAY: Story = |house| {
    ORDER(house);
    house.taps([Tap::ToPay, Tap::Tender(Money::from_minor(6000))]);
};
/// A banquet: the amount has five digits.
const BANQUET: Story = |house| {
    ORDER(house);
    for _ in 0..3 {
        house.order(demo::ANNA, 4, 0, &[(99, 307, &[]), (99, 309, &[]), (99, 803, &[])]);
    }
};
const CHANGED: Story = |house| {
    PAY(house);
    let expected = house.total(4);
    house.order(demo::BEN, 4, 0, &[(1, 201, &[])]);
    house.tap(Tap::PayCash { expected, tendered: Money::from_minor(6000) });
};
const RECEIPT: Story = |house| {
    PAY(house);
    house.tap(Tap::PayCash { expected: house.total(4), tendered: Money::from_minor(6000) });
};

/// Of these, the first tell all the stories there are.
const STORIES: usize = 19;
const SHOTS: [(&str, Look, Story); 48] = [
    ("people", Look::PHONE, PEOPLE),
    ("pin", Look::PHONE, PIN),
    ("pin-throttled", Look::PHONE, THROTTLED),
    ("tables", Look::PHONE, TABLES),
    ("tables-plan", Look::PHONE, PLAN),
    ("tables-mine-sent", Look::PHONE, SENT),
    ("order-new", Look::PHONE, NEW_ORDER),
    ("order", Look::PHONE, ORDER),
    ("order-banquet", Look::PHONE, BANQUET),
    ("order-whole", Look::PHONE, WHOLE_ORDER),
    ("order-search", Look::PHONE, FOUND),
    ("modifiers-missing", Look::PHONE, MISSING),
    ("quantity", Look::PHONE, QUANTITY),
    ("line", Look::PHONE, LINE),
    ("line-sent", Look::PHONE, SENT_LINE),
    ("guests", Look::PHONE, GUESTS),
    ("pay", Look::PHONE, PAY),
    ("people-inputs-lost", Look::PHONE, INPUTS_LOST),
    ("order-not-booked", DARK, NOT_BOOKED),
    ("pay-changed", Look::PHONE, CHANGED),
    ("receipt", Look::PHONE, RECEIPT),
    ("dark-tables", DARK, TABLES),
    ("dark-order", DARK, ORDER),
    ("dark-modifiers", DARK, MODIFIERS),
    ("dark-pay", DARK, PAY),
    ("wide-tables", WIDE, TABLES),
    ("wide-plan", WIDE, PLAN),
    ("wide-order", WIDE, ORDER),
    ("wide-pay", WIDE, PAY),
    ("fine-order", FINE, ORDER),
    ("side-people", SIDE, PEOPLE),
    ("side-pin", SIDE, PIN),
    ("side-tables", SIDE, TABLES),
    ("side-plan", SIDE, PLAN),
    ("side-order", SIDE, ORDER),
    ("side-search", SIDE, FOUND),
    ("side-modifiers", SIDE, MISSING),
    ("side-quantity", SIDE, QUANTITY),
    ("side-line", SIDE, LINE),
    ("side-guests", SIDE, GUESTS),
    ("side-pay", SIDE, CHANGED),
    ("side-receipt", SIDE, RECEIPT),
    ("side-wide-order", SIDE_WIDE, ORDER),
    ("side-wide-tables", SIDE_WIDE, SENT),
    ("photos", Look::PHONE, PHOTOS),
    ("dark-photos", DARK, PHOTOS),
    ("wide-photos", WIDE, PHOTOS),
    ("fine-photos", FINE, PHOTOS),
];

/// A PNG of a glass on a table, in colours of its own.
fn glass(number: u8) -> Vec<u8> {
    const SIZE: (i32, i32) = (320, 200);
    let tint = |part: i32| 60 + (i32::from(number) * 53 * (part + 2)) % 160;
    let pixel = |x: i32, y: i32| {
        let (from_middle, top) = ((x - SIZE.0 / 2).abs(), 30);
        let within = y > top && y < 176 && from_middle < 46 - (y - top) / 12;
        let light = if within && from_middle > 26 && x < SIZE.0 / 2 { 50 } else { 0 };
        (0..3).map(move |part| match (within && y > top + 24, within) {
            (true, _) => tint(part) + light - (y - top) / 5,
            (false, true) => 236,
            (false, false) if y > 150 => 178 - 20 * part - (y - 150) / 2,
            (false, false) => 232 - 8 * part - (160 - y) / 6,
        })
    };
    let places = (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y)));
    let pixels: Vec<u8> =
        places.flat_map(|(x, y)| pixel(x, y)).map(|value| value.clamp(0, 255) as u8).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0 as u32, SIZE.1 as u32);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("memory takes all");
    writer.write_image_data(&pixels).expect("memory takes all");
    writer.finish().expect("memory takes all");
    bytes
}

/// Promise: every screen looks as it was last approved.
#[test]
fn screens_look_as_approved() {
    let renew = std::env::var_os("TRESEN_RENEW").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens");
    let mut different = Vec::new();
    for (name, look, story) in SHOTS {
        let mut house = House::evening();
        house.language = look.language;
        story(&mut house);
        let canvas = Screen::new(house, look).paint();
        let (approved, new) = (folder.join(format!("{name}.png")), folder.join(format!("{name}.new.png")));
        let _ = fs::remove_file(&new);
        if renew {
            write_png(&approved, &canvas, png::Compression::High);
        } else if let Some(difference) = difference(&approved, &canvas) {
            write_png(&new, &canvas, png::Compression::High);
            different.push(format!("{name}: {difference}; see {}", new.display()));
        }
    }
    assert!(different.is_empty(), "{}\nTRESEN_RENEW=1 approves them", different.join("\n"));
}

/// Promise: no word of the demo is cut, on any screen from 360x640 to 1280x800, in both languages.
#[test]
fn no_word_is_cut() {
    let sizes = [(360, 640), (411, 915), (640, 360), (800, 360), (800, 480), (1024, 600), (1280, 800)];
    let mut cut = Vec::new();
    for (name, _, story) in SHOTS.into_iter().take(STORIES) {
        for (language, scale_100) in [(Language::De, 100), (Language::En, 100), (Language::De, 300)] {
            let mut house = House::evening();
            house.language = language;
            story(&mut house);
            let mut screen = Screen::new(house, Look { scale_100, language, ..Look::PHONE });
            for (width_dp, height_dp) in sizes {
                screen.look = Look { width_dp, height_dp, ..screen.look };
                let words = screen.words();
                let found = words.lines().filter(|line| line.contains('…')).map(str::to_owned);
                cut.extend(found.map(|line| format!("{name} {width_dp}x{height_dp} {language:?}: {line}")));
            }
        }
    }
    assert!(cut.is_empty(), "{}", cut.join("\n"));
}

/// Promise: however many photos a group has, its screen stays below what a frame may bring, so that it can be sent; what has no photo is still sold.
#[test]
fn many_photos_stay_within_a_frame() {
    fn sum(node: &Node, of: &impl Fn(&Op) -> i64) -> i64 {
        let below = |op: &Op| match op {
            Op::Child { node, .. } | Op::Clip { node, .. } => sum(node, of),
            Op::Scroll(scroll) => sum(&scroll.content, of),
            _ => of(op),
        };
        node.ops().iter().map(below).sum()
    }
    let pixels = |op: &Op| match op {
        Op::Sprite { sprite, .. } => i64::from(sprite.size().w) * i64::from(sprite.size().h),
        _ => 0,
    };
    let pressable = |op: &Op| i64::from(matches!(op, Op::Touch(_)));
    let mut house = House::evening();
    let cola = house.till.catalog().product(ProductId(101)).expect("it is sold").clone();
    for number in 0..150_u8 {
        let product = Product { id: ProductId(10_000 + u32::from(number)), ..cola.clone() };
        house.manage(Manage::PutProduct(product));
        house.show(10_000 + u32::from(number), number, glass(1));
    }
    ORDER(&mut house);
    let mut screen = Screen::new(house, Look { scale_100: 300, ..Look::PHONE });
    for (width_dp, height_dp, scale_100) in
        [(360, 640, 300), (320, 640, 300), (3840, 2160, 100), (800, 360, 200)]
    {
        screen.look = Look { width_dp, height_dp, scale_100, ..screen.look };
        let root = screen.root();
        let shown = sum(&root, &pixels);
        assert!((1_000_000..=5_000_000).contains(&shown), "{width_dp}x{height_dp}: {shown} pixels");
        assert!(sum(&root, &pressable) > 150, "everything can be ordered");
    }
}

/// For eyes: every story in every kind of look, as pictures in `target/tour`.
#[test]
#[ignore = "draws pictures to look at, proves nothing"]
fn tour() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tour");
    let sizes = [(360, 640), (360, 720), (640, 360), (800, 360), (800, 480), (1024, 600), (1280, 800)];
    fs::create_dir_all(&folder).expect("the target folder can be written");
    for ((width_dp, height_dp), (name, _, story)) in
        sizes.into_iter().flat_map(|size| SHOTS.into_iter().take(STORIES).map(move |shot| (size, shot)))
    {
        for (kind, theme, language) in [("de", Theme::Light, Language::De), ("en", Theme::Dark, Language::En)]
        {
            let mut house = House::evening();
            house.language = language;
            story(&mut house);
            let canvas =
                Screen::new(house, Look { width_dp, height_dp, scale_100: 100, theme, language }).paint();
            write_png(
                &folder.join(format!("{width_dp}x{height_dp}-{kind}-{name}.png")),
                &canvas,
                png::Compression::Fast,
            );
        }
    }
}

fn difference(approved: &Path, canvas: &Canvas) -> Option<String> {
    let Some((size, pixels)) = read_png(approved) else { return Some("has no approved picture".into()) };
    if size != (canvas.size().w as u32, canvas.size().h as u32) {
        return Some(format!("is {:?}, approved {size:?}", canvas.size()));
    }
    let now = rgb(canvas);
    let differing = now.chunks(3).zip(pixels.chunks(3)).enumerate().filter(|(_, (now, then))| now != then);
    let places: Vec<_> = differing.map(|(index, _)| (index as u32 % size.0, index as u32 / size.0)).collect();
    let (first, last) = (places.first()?, places.last()?);
    Some(format!("{} pixels differ, from row {} to row {}", places.len(), first.1, last.1))
}

fn rgb(canvas: &Canvas) -> Vec<u8> {
    let (_, rgba) = canvas.rgba(Rect::of_size(canvas.size()));
    rgba.chunks(4).flat_map(|pixel| pixel[..3].to_vec()).collect()
}

fn write_png(path: &Path, canvas: &Canvas, compression: png::Compression) {
    let file = fs::File::create(path).expect("the folder of pictures can be written");
    let mut encoder = png::Encoder::new(file, canvas.size().w as u32, canvas.size().h as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(compression);
    let mut writer = encoder.write_header().expect("the header can be written");
    writer.write_image_data(&rgb(canvas)).expect("the picture can be written");
}

fn read_png(path: &Path) -> Option<((u32, u32), Vec<u8>)> {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).ok()?));
    let mut reader = decoder.read_info().expect("an approved picture is a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it fits into memory")];
    let info = reader.next_frame(&mut pixels).expect("an approved picture is a PNG");
    pixels.truncate(info.buffer_size());
    Some(((info.width, info.height), pixels))
}
