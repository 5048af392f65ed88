//! Photos of products: from the form in the back office to the tiles of every handheld.

use std::path::Path;

use axum::http::StatusCode;
use tresen_edge::backup::{Replace, backup, restore};
use tresen_edge::net::http;
use tresen_ledger::{Ledger, Options, PHOTO};
use tresen_scene::{Node, Op, Point, Size, Sprite};
use tresen_till::ProductId;
use tresen_wire::ServerTable;

use crate::browser::{Answer, Browser, OLGA};
use crate::client::{Client, loopback};
use crate::world::World;

const STEAK: ProductId = ProductId(301);
const UPLOAD: &str = "/office/catalogue/301/photo";

async fn owner(world: &World) -> Browser {
    let mut olga = Browser::of(http::router(&world.server.site));
    assert_eq!(olga.login(OLGA.0, OLGA.1).await.status, StatusCode::SEE_OTHER);
    olga
}

/// A PNG of one colour.
fn png(width: u32, height: u32, color: [u8; 3]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let pixels = color.repeat((width * height) as usize);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

/// The pictures on a screen.
fn pictures(client: &Client) -> Vec<[u8; 4]> {
    fn collect(node: &Node, found: &mut Vec<[u8; 4]>) {
        for op in node.ops() {
            if let Op::Sprite { sprite, .. } = op {
                found.push(middle(sprite));
            }
            op.children().for_each(|child| collect(child, found));
        }
    }
    let mut found = Vec::new();
    client.receiver.root().iter().for_each(|root| collect(root, &mut found));
    found
}

fn middle(sprite: &Sprite) -> [u8; 4] {
    let at = (sprite.size().h / 2 * sprite.size().w + sprite.size().w / 2) as usize;
    sprite.rgba().as_chunks::<4>().0[at]
}

fn is_red([r, g, b, a]: [u8; 4]) -> bool {
    r > 190 && g < 60 && b < 60 && a == 255
}

/// Promise: a photo that an owner uploads is on the tiles of every handheld at once, and is there after a restart; when it is removed, it is
/// gone, and nothing of it stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_photo_goes_from_the_office_to_every_tile() {
    let world = World::open().await;
    let mut anna = Client::tab(world.port(), 1).await;
    let mut ben = Client::tab(world.port(), 2).await;
    for (client, person, pin) in [(&mut anna, "Anna", "1234"), (&mut ben, "Ben", "2345")] {
        client.log_in(person, pin).await;
        client.tap("Table 4").await;
        client.tap("Küche").await;
        // A frame with the photos of the drinks may still come before the kitchen's.
        client.until("the kitchen", |client| client.sees("Rumpsteak") && pictures(client).is_empty()).await;
    }
    let mut olga = owner(&world).await;
    let answer = olga.upload_file(UPLOAD, &png(1200, 900, [220, 20, 30])).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/office/catalogue/301"));
    let page = olga.get(answer.location()).await.text();
    assert!(page.contains("Rumpsteak” has a new photo"), "{page}");
    for client in [&mut anna, &mut ben] {
        client.until("the photo", |client| pictures(client).len() == 1).await;
        assert!(is_red(pictures(client)[0]), "{:?}", pictures(client));
    }
    let photo = world.server.site.ledger.till().photo(STEAK).unwrap();
    let shown = olga.get(&format!("/office/photos/{photo}")).await;
    assert_eq!(shown.headers["content-type"], "image/jpeg");
    assert!(shown.headers["cache-control"].to_str().unwrap().contains("immutable"));

    // A router holds the site, and the site its folder.
    drop(olga);
    let world = world.restart().await;
    let mut again = Client::on(anna.gone().await, loopback(world.port(), 1).await);
    again.until("the photo", |client| pictures(client).len() == 1).await;
    let kept = |world: &World| world.server.site.ledger.records(PHOTO).len();
    let of_the_demo = kept(&world) - 1;
    let mut olga = owner(&world).await;
    olga.upload_file(UPLOAD, &png(90, 90, [20, 20, 220])).await;
    again.until("the other photo", |client| pictures(client).iter().all(|middle| !is_red(*middle))).await;
    assert_eq!(kept(&world), of_the_demo + 1, "the first one is gone");
    assert_eq!(olga.get(&format!("/office/photos/{photo}")).await.status, StatusCode::NOT_FOUND);
    olga.post("/office/catalogue/301/photo/remove", &[]).await;
    again.until("no photo", |client| pictures(client).is_empty()).await;
    assert_eq!(kept(&world), of_the_demo);
}

/// What the next page says about what was done.
async fn said(olga: &mut Browser, answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let page = olga.get(answer.location()).await.text();
    let at = page.find("role=\"status\"").expect("the next page says what happened");
    page[at..at + page[at..].find("</p>").unwrap()].to_owned()
}

/// Promise: what is no picture, or a hostile one, is refused with a sentence, and the photo from before stays.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_uploads_are_refused_with_a_sentence() {
    let world = World::open().await;
    let mut olga = owner(&world).await;
    let good = png(40, 30, [220, 20, 30]);
    olga.upload_file(UPLOAD, &good).await;
    let before = world.server.site.ledger.till().photo(STEAK);
    assert!(before.is_some());
    let mut moving = good.clone();
    moving.splice(33..33, *b"\0\0\0\x08acTL\0\0\0\x02\0\0\0\0\xf3\x8d\x93\x70");
    let mut broken = good.clone();
    broken.truncate(good.len() / 2);
    let mut progressive = include_bytes!("../../../crates/typeset/tests/pictures/progressive.jpg").to_vec();
    let frame = progressive.windows(2).position(|pair| pair == [0xff, 0xc2]).unwrap();
    progressive[frame + 5..frame + 9].copy_from_slice(&[27, 88, 27, 88]);
    let refusals = [
        (b"Dear Sir".to_vec(), "no picture that can be read"),
        (b"GIF89a\x01\0\x01\0".to_vec(), "no picture that can be read"),
        (Vec::new(), "choose a picture first"),
        (broken, "damaged"),
        (moving, "stands still"),
        (png(10_001, 1, [1, 2, 3]), "too many pixels (10001 × 1)"),
        (progressive, "takes too much memory"),
        (vec![0; 17 << 20], "too large: a photo may have 16 MB"),
    ];
    for (bytes, sentence) in refusals {
        let answer = olga.upload_file(UPLOAD, &bytes).await;
        let said = said(&mut olga, &answer).await;
        assert!(said.contains(sentence) && said.contains("triangle-alert"), "{sentence}: {said}");
    }
    assert_eq!(world.server.site.ledger.till().photo(STEAK), before);

    let csrf = std::mem::replace(&mut olga.csrf, "k7q2".into());
    assert_eq!(olga.upload_file(UPLOAD, &good).await.status, StatusCode::FORBIDDEN, "without our token");
    olga.csrf = csrf;
    let nowhere = olga.upload_file("/office/catalogue/9999/photo", &good).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    let mut nobody = Browser::of(http::router(&world.server.site));
    assert_eq!(nobody.upload_file(UPLOAD, &vec![0; 17 << 20]).await.location(), "/office/login");
}

/// Promise: a backup has the photos, and they come back with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_keeps_the_photos() {
    let world = World::open().await;
    owner(&world).await.upload_file(UPLOAD, &png(40, 30, [220, 20, 30])).await;
    let photo = world.server.site.ledger.till().photo(STEAK).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = |name: &str| elsewhere.path().join(name);
    backup(
        world.folder.path(),
        &copy("backup"),
        &"2026-11-24T20:15:00+01:00[Europe/Berlin]".parse().unwrap(),
    )
    .unwrap();
    restore(&copy("backup"), &copy("data"), Replace::Never).unwrap();
    let database: &Path = &copy("data").join("ledger.db");
    let there = Ledger::open(database, Options::default()).unwrap();
    assert_eq!(there.till().photo(STEAK), Some(photo));
    assert_eq!(there.photo(photo), world.server.site.ledger.photo(photo));
    drop(there);
    assert!(tresen_ledger::verify(database).is_ok());
}

/// Promise: name, price and whether it is sold can be changed; what can't be a price is explained.
#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_changed() {
    let world = World::open().await;
    let mut olga = owner(&world).await;
    let changed = [("name", "Rumpsteak 250 g"), ("price", "29,50"), ("sold", "out")];
    let answer = olga.post("/office/catalogue/301", &changed).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let till = world.server.site.ledger.till();
    let product = till.catalog().product(STEAK).unwrap();
    assert_eq!(
        (product.name.as_str(), product.price.minor(), product.available),
        ("Rumpsteak 250 g", 2_950, false)
    );
    assert!(olga.get("/office/catalogue").await.text().contains("sold out"));
    let wrong = olga.post("/office/catalogue/301", &[("name", ""), ("price", "viel"), ("sold", "yes")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("A price is a number") && wrong.text().contains("A name has 1 to 80"));
}

/// Promise: a photo on a tile costs a few kilobytes, once.
#[test]
fn a_photo_takes_a_few_kilobytes() {
    const DRINKS: [&[u8]; 3] = [
        include_bytes!("../../assets/demo/101.jpg"),
        include_bytes!("../../assets/demo/105.jpg"),
        include_bytes!("../../assets/demo/109.jpg"),
    ];
    let namer = tresen_scene::Namer::new([7; 32]);
    let typesetter = tresen_typeset::Typesetter::new(namer.clone());
    for (scale, most) in [(1, 2_000), (2, 4_000), (3, 6_500)] {
        let size = Size::new(102 * scale, 64 * scale);
        let began = std::time::Instant::now();
        let cost = DRINKS.map(|bytes| {
            let sprite = typesetter.photo(bytes, size, 11 * scale).unwrap();
            let root = Node::new(&namer, 1, vec![Op::Sprite { at: Point::ZERO, sprite }]);
            ServerTable::new().encode(&namer, &root).unwrap().0.len()
        });
        println!("a photo at {scale}x: {cost:?} bytes, {:?} each", began.elapsed() / 3);
        assert!(cost.iter().all(|bytes| *bytes <= most), "{cost:?} bytes at {scale}x");
    }
}
