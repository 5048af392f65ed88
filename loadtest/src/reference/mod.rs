//! The reference till: the same labels, colours, positions, text sizes and script that the peers were measured with.
//!
//! [`script`] says where to tap, [`model`] what a tap does, [`view`] what is shown, [`app`] lets the real hub run it.

pub mod app;
mod letters;
pub mod model;
pub mod script;
pub mod view;

/// What the till that the peers show has on its screen after each tap of the script: `x,y: page | ...`, a line each.
pub const SHOWN: &str = include_str!("script.txt");

#[cfg(test)]
mod tests {
    use super::model::{KEYS, Model, Page, Press, ROWS, TABS, amount};
    use super::view::{SIZE, View};
    use super::{SHOWN, script};
    use std::sync::Arc;
    use tresen_scene::{Canvas, Namer, Node, Point, Rect, ScrollOffsets, hit_test};
    use tresen_typeset::Typesetter;

    fn shown(model: &Model) -> String {
        let total = amount(model.total_cents());
        match model.page {
            Page::Sale => {
                let rows = model.cart.iter().skip(model.offset).take(ROWS);
                let rows: Vec<String> = rows
                    .map(|line| format!("{} x {}={}", line.quantity, line.name(), amount(line.total_cents())))
                    .collect();
                format!("sale {} | Total  {total} EUR | {}", TABS[model.tab], rows.join(", "))
            }
            Page::Pay => {
                let (tendered, change) = (amount(model.tendered_cents()), amount(model.change_cents()));
                format!("pay | To pay {total} EUR | {tendered} | Change {change}")
            }
            Page::Receipt => format!("receipt | {}", model.receipt().join(" / ")),
        }
    }

    /// What lies under a tap on a screen.
    fn press(screen: &Arc<Node>, at: Point) -> Option<Press> {
        let (_, touch) = hit_test(screen, at, &ScrollOffsets::default()).touch?;
        Press::parse(touch.action.bytes())
    }

    /// Proves that the figures compare with those of the peers: the model shows after every tap what their till showed.
    #[test]
    fn the_model_shows_what_the_peers_showed() {
        let view = View::new(Typesetter::new(Namer::new([7; 32])));
        let mut model = Model::default();
        let mut expected = SHOWN.lines();
        for at in script::taps(&script::SEEDS) {
            model.press(press(&view.root(&model), at).expect("every tap of the script hits something"));
            let line = format!("{},{}: {}", at.x, at.y, shown(&model));
            assert_eq!(Some(line.trim_end()), expected.next());
        }
        assert_eq!(expected.next(), None);
    }

    /// Proves that a screen covers all its pixels: none is left of the screen before.
    #[test]
    fn every_page_covers_the_screen() {
        let view = View::new(Typesetter::new(Namer::new([7; 32])));
        for page in [Page::Sale, Page::Pay, Page::Receipt] {
            let root = view.root(&Model { page, ..Model::default() });
            let screen = Rect::of_size(SIZE);
            let mut canvas = Canvas::new(SIZE);
            let black = canvas.pixels()[0];
            canvas.paint(&root, &[screen], &ScrollOffsets::default(), None);
            assert!(canvas.pixels().iter().all(|pixel| *pixel != black));
        }
    }

    /// Proves that an action survives its bytes, and that foreign bytes are refused.
    #[test]
    fn presses_survive_their_bytes() {
        for index in 0..KEYS.len() as u8 {
            assert_eq!(Press::parse(&Press::Key(index).bytes()), Some(Press::Key(index)));
        }
        assert_eq!(Press::parse(&Press::Cash.bytes()), Some(Press::Cash));
        assert_eq!(Press::parse(&[1, 16]), None);
        assert_eq!(Press::parse(&[10, 0]), None);
        assert_eq!(Press::parse(&[0]), None);
    }
}
