//! The reference till: the same labels, colours, positions, text sizes and script that the peers were measured with.
//!
//! [`script`] says where to tap, [`model`] what a tap does, [`view`] what is shown, [`app`] lets the real hub run it.

pub mod model;
pub mod script;

#[cfg(test)]
mod tests {
    use super::model::{KEYS, Model, Page, Press, ROWS, TABS, amount};
    use super::script;
    use tresen_scene::Point;

    /// What the till that the peers showed had on its screen after each tap of the script.
    const SHOWN: &str = include_str!("script.txt");

    fn shown(model: &Model) -> String {
        let total = amount(model.total_cents());
        match model.page {
            Page::Sale => {
                let rows = model.cart.iter().skip(model.offset).take(ROWS);
                let rows: Vec<String> = rows
                    .map(|line| format!("{} x {}={}", line.quantity, line.name, amount(line.total_cents())))
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

    /// What lies under a tap, from the positions in the source of the peers' till.
    fn press(page: Page, at: Point) -> Option<Press> {
        let index = |columns: i32, x0: i32, dx: i32, y0: i32, dy: i32| {
            ((at.x - x0) / dx + columns * ((at.y - y0) / dy)) as u8
        };
        Some(match (page, at.y) {
            (Page::Sale, 64..128) => Press::Tab((at.x / 144) as u8),
            (Page::Sale, 136..664) => Press::Product(index(4, 8, 177, 136, 132)),
            (Page::Sale, 1180..) => match at.x {
                8..108 => Press::Up,
                112..212 => Press::Down,
                216..366 => Press::Void,
                _ => Press::Pay,
            },
            (Page::Pay, 370..1050) => Press::Key(index(3, 8, 236, 370, 170)),
            (Page::Pay, 1070..) if at.x < 240 => Press::Back,
            (Page::Pay, 1070..) => Press::Cash,
            (Page::Receipt, 1070..) => Press::NewSale,
            _ => return None,
        })
    }

    /// Proves that the figures compare with those of the peers: the model shows after every tap what their till showed.
    #[test]
    fn the_model_shows_what_the_peers_showed() {
        let mut model = Model::default();
        let mut expected = SHOWN.lines();
        for at in script::taps(&script::SEEDS) {
            model.press(press(model.page, at).expect("every tap of the script hits something"));
            let line = format!("{},{}: {}", at.x, at.y, shown(&model));
            assert_eq!(Some(line.trim_end()), expected.next());
        }
        assert_eq!(expected.next(), None);
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
