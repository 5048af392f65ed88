//! Promises about the photos of products on a screen.

mod common;

use std::sync::Arc;

use common::House;
use common::screen::{Look, Screen};
use tresen_mpos::ui::{Developing, Kit, Missing, Scale};
use tresen_mpos::{Photos, Tap, World, view};
use tresen_scene::{Namer, Node, Op, Point, Role, Scroll, Size, Sprite};
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

/// Promise: no tile sends more pixels of a photo than are stored, and none is blown up: it stands in the middle of its place.
#[test]
fn a_photo_is_never_blown_up() {
    let look = Look { width_dp: 320, height_dp: 640, scale_100: 300, ..Look::PHONE };
    // A typesetter for each: equal names mean equal pictures.
    let shown = |stored: (u32, u32), look: Look| {
        let kit = Kit::new(
            Typesetter::new(Namer::new([3; 32])),
            look.theme,
            Scale::from_hundredths(look.scale_100),
        );
        let house = house(stored);
        sprites(&view(&house.app, &house.world(), &kit, look.size_px()))
    };
    assert!(shown((512, 320), look).iter().all(|(_, sprite)| sprite.size() == Size::new(414, 259)));
    for (stored, look) in
        [((90, 50), look), ((512, 320), Look { width_dp: 4_800, height_dp: 2_700, scale_100: 100, ..look })]
    {
        let shown = shown(stored, look);
        assert!(!shown.is_empty());
        for (at, sprite) in shown {
            assert_eq!(sprite.size(), Size::new(stored.0 as i32, stored.1 as i32));
            assert!(at.x > 0);
        }
    }
}

/// Promise: a wide screen shows the groups that fit below the one that was chosen, and does not draw what is far below.
#[test]
fn a_wide_screen_draws_the_groups_that_fit() {
    for (width_dp, height_dp) in [(1280, 800), (1024, 600), (3840, 2160)] {
        let look = Look { width_dp, height_dp, ..Look::PHONE };
        for house in [house((320, 200)), {
            let mut bare = House::anna();
            bare.taps([Tap::Table(TableId(7))]);
            bare
        }] {
            let groups = house.till.catalog().groups().count();
            let screen = Screen::new(house, look);
            let mut content = None;
            each(&screen.root(), Point::ZERO, &mut |op, _| {
                if let Op::Scroll(Scroll { content: found, content_h, .. }) = op
                    && content.as_ref().is_none_or(|(_, h)| content_h > h)
                {
                    content = Some((found.clone(), *content_h));
                }
            });
            let (content, content_h) = content.expect("products scroll");
            let mut headings = Vec::new();
            each(&content, Point::ZERO, &mut |op, at| {
                if let Op::Label(label) = op
                    && label.role == Role::Heading
                {
                    // Eight above the name begins the group.
                    headings.push(at.y + label.rect.y - 8);
                }
            });
            let far = headings.iter().filter(|y| **y > height_dp).count();
            assert_eq!(far, 0, "{width_dp}x{height_dp}: groups begin at {headings:?}");
            assert!(
                content_h >= height_dp || headings.len() + 1 == groups,
                "{width_dp}x{height_dp}: {content_h} dp of products"
            );
        }
    }
}
