//! Promises about the photos of products on a screen.

mod common;

use std::sync::Arc;

use common::House;
use common::screen::Look;
use tresen_mpos::ui::{Developing, Kit, Missing, Scale};
use tresen_mpos::{Photos, Tap, World, view};
use tresen_scene::{Namer, Node, Op, Point, Sprite};
use tresen_till::{PhotoId, TableId};
use tresen_typeset::Typesetter;

/// A PNG of one colour.
fn png(size: (u32, u32), color: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("memory takes all");
    writer.write_image_data(&vec![color; (size.0 * size.1 * 3) as usize]).expect("memory takes all");
    writer.finish().expect("memory takes all");
    bytes
}

/// Anna at a table, and every product has a photo of this size.
fn house(size: (u32, u32)) -> House {
    let mut house = House::anna();
    let products: Vec<u32> = house.till.catalog().products().map(|product| product.id.0).collect();
    for product in products {
        house.show(product, product as u8, png(size, product as u8));
    }
    house.taps([Tap::Table(TableId(7))]);
    house
}

fn each(node: &Node, at: Point, see: &mut impl FnMut(&Op, Point)) {
    for op in node.ops() {
        match op {
            Op::Child { at: child, node } => each(node, Point::new(at.x + child.x, at.y + child.y), see),
            _ => {
                see(op, at);
                op.children().for_each(|child| each(child, at, see));
            }
        }
    }
}

fn sprites(root: &Node) -> Vec<(Point, Arc<Sprite>)> {
    let mut found = Vec::new();
    each(root, Point::ZERO, &mut |op, origin| {
        if let Op::Sprite { at, sprite } = op {
            found.push((Point::new(origin.x + at.x, origin.y + at.y), sprite.clone()));
        }
    });
    found
}

/// The photos of a house that are scaled later.
struct Later<'a>(&'a House, Arc<Missing>);

impl Photos for Later<'_> {
    fn photo(&self, id: PhotoId) -> Option<Arc<[u8]>> {
        self.0.photos.photo(id)
    }

    fn developing(&self) -> Developing {
        Developing::Later(self.1.clone())
    }
}

/// Promise: a screen whose photos are scaled later leaves their places empty, says which they are, and is the same as ever once they are there.
#[test]
fn what_is_missing_is_told_and_comes_later() {
    let house = house((320, 200));
    let typesetter = Typesetter::new(Namer::new([3; 32]));
    let kit = Kit::new(typesetter.clone(), Look::PHONE.theme, Scale::from_hundredths(100));
    let later = Later(&house, Arc::default());
    let look = Look { width_dp: 411, height_dp: 915, ..Look::PHONE };
    let world = World { photos: &later, ..house.world() };
    let draw = || view(&house.app, &world, &kit, look.size_px());
    let without = draw();
    let missing = later.1.take();
    assert_eq!(sprites(&without).len(), 0);
    assert_eq!(missing.len(), 12, "the drinks");
    assert!(later.1.take().is_empty());
    // One of them is there already: what lacks nothing is drawn whole, and the rest is asked for again.
    let held: Vec<_> = missing[..1].iter().map(|wanted| typesetter.scale(wanted)).collect();
    assert_eq!((sprites(&draw()).len(), later.1.take().len()), (1, 11));
    let rest: Vec<_> = missing[1..].iter().map(|wanted| typesetter.scale(wanted)).collect();
    let whole = draw();
    assert_eq!((sprites(&whole).len(), later.1.take().len()), (12, 0));
    let at_once = view(&house.app, &house.world(), &kit, look.size_px());
    assert_eq!(whole.id(), at_once.id());
    drop((held, rest));
}
