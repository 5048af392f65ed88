//! Random scenes that change a little at a time: a forest of rows, keys and pictures, driven by a stream of numbers.

use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::*;

/// The key of all names.
pub const KEY: [u8; 32] = [7; 32];
/// The screen.
pub const SIZE: Size = Size::new(96, 128);

/// Makes scenes. The same numbers make the same scenes.
pub struct Maker {
    pub namer: Namer,
    state: u64,
    rows: Vec<Row>,
    dark: bool,
    scroll: i32,
    sheet: bool,
}

#[derive(Clone)]
struct Row {
    number: u32,
    text: String,
    look: u32,
}

impl Maker {
    pub fn new(seed: u64) -> Self {
        let namer = Namer::new(KEY);
        Self { namer, state: seed | 1, rows: Vec::new(), dark: false, scroll: 0, sheet: false }
    }

    /// A number below `below`.
    pub fn pick(&mut self, below: u32) -> u32 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as u32 % below
    }

    /// Changes something.
    pub fn change(&mut self) {
        match self.pick(8) {
            0 | 1 => {
                let row = self.row();
                let at = self.pick(self.rows.len() as u32 + 1) as usize;
                self.rows.insert(at, row);
            }
            2 if !self.rows.is_empty() => {
                let at = self.pick(self.rows.len() as u32) as usize;
                self.rows.remove(at);
            }
            3 | 4 if !self.rows.is_empty() => {
                let at = self.pick(self.rows.len() as u32) as usize;
                self.rows[at] = Row { number: self.rows[at].number, ..self.row() };
            }
            5 => self.dark = !self.dark,
            6 => self.scroll = self.pick(60) as i32,
            _ => self.sheet = !self.sheet,
        }
        self.rows.truncate(24);
    }

    fn row(&mut self) -> Row {
        let length = self.pick(9);
        let text = (0..length).map(|_| char::from(b'a' + self.pick(26) as u8)).collect();
        Row { number: self.pick(12), text, look: self.pick(9) }
    }

    /// The scene as it is.
    pub fn scene(&self) -> Arc<Node> {
        let ink = if self.dark { Color::rgb(0xf0f0f0) } else { Color::rgb(0x101820) };
        let paper = if self.dark { Color::rgb(0x101820) } else { Color::rgb(0xf6f4f0) };
        let mut list = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            list.push(Op::Child { at: Point::new(2, index as i32 * 14), node: self.row_node(row, ink) });
        }
        let content_h = self.rows.len() as i32 * 14;
        let content = Node::new(&self.namer, 1, list);
        let mut ops = vec![Op::Fill { rect: Rect::of_size(SIZE), color: paper }];
        ops.push(Op::Scroll(Scroll {
            rect: Rect::new(0, 20, 96, 90),
            action: Action::new(b"list"),
            content,
            content_h,
            offset: self.scroll,
        }));
        ops.push(self.text(3, Point::new(4, 14), ink, &format!("{} rows", self.rows.len())));
        if self.sheet {
            let sheet = Node::new(
                &self.namer,
                3,
                vec![
                    Op::NinePatch {
                        rect: Rect::new(0, 0, 80, 60),
                        mask: self.corner(),
                        insets: Insets::all(2),
                        color: paper.with_alpha(230),
                    },
                    Op::from(Field {
                        rect: Rect::new(4, 4, 60, 20),
                        action: Action::new(b"field"),
                        keyboard: Keyboard::Digits,
                        label: "Note".into(),
                        value: self.rows.first().map_or(SmolStr::default(), |row| row.text.as_str().into()),
                    }),
                    self.text(0, Point::new(6, 40), ink, "sheet"),
                ],
            );
            ops.push(Op::Clip { rect: Rect::new(10, 50, 70, 70), at: Point::new(8, 52), node: sheet });
        }
        Node::new(&self.namer, 2, ops)
    }

    fn row_node(&self, row: &Row, ink: Color) -> Arc<Node> {
        let rect = Rect::new(0, 0, 90, 13);
        let tint = Color::rgb((0x33_66aa * (row.look + 1)) & 0xff_ffff);
        let pressed = Node::new(&self.namer, 0, vec![Op::Fill { rect, color: tint.with_alpha(60) }]);
        let mut ops = vec![self.text((row.look % 3) as u8, Point::new(12, 10), ink, &row.text)];
        match row.look {
            0..3 => ops.push(Op::Mask { at: Point::new(1, 1), mask: self.corner(), color: tint }),
            3..5 => ops.push(Op::Sprite { at: Point::new(1, 1), sprite: self.picture(row.look) }),
            _ => ops.push(Op::Fill { rect: Rect::new(1, 1, 8, 8), color: tint }),
        }
        ops.push(Op::Label(Label {
            rect,
            role: Role::ListItem,
            text: row.look.is_multiple_of(2).then(|| row.text.as_str().into()),
        }));
        ops.push(Op::from(Touch {
            rect,
            action: Action::new(format!("tap {}", row.number).as_bytes()),
            hold: (row.look == 4).then(|| Action::new(format!("hold {}", row.number).as_bytes())),
            role: Role::ListItem,
            label: None,
            state: TouchState::from_bits(row.look as u8).expect("every look is a state"),
            pressed: (row.look != 2).then_some(pressed),
        }));
        Node::new(&self.namer, 100 + u64::from(row.number), ops)
    }

    fn corner(&self) -> Arc<Mask> {
        let alpha: Vec<u8> = (0..64).map(|at| if at % 9 == 0 { 120 } else { 255 }).collect();
        Mask::new(&self.namer, Size::new(8, 8), &alpha)
    }

    fn picture(&self, look: u32) -> Arc<Sprite> {
        let rgba: Vec<u8> = (0..8 * 8 * 4).map(|at: u32| (at * look) as u8 | 1).collect();
        Sprite::new(&self.namer, Size::new(8, 8), &rgba)
    }

    fn text(&self, face: u8, baseline: Point, color: Color, text: &str) -> Op {
        let face = FaceId(face);
        let glyphs = text.char_indices().map(|(at, letter)| {
            let size = Size::new(5, 7);
            let alpha: Vec<u8> = (0..35).map(|at| (u32::from(letter) * (at + 3) * 13 % 256) as u8).collect();
            let mask = Mask::new(&self.namer, size, &alpha);
            let text = letter.to_string().into();
            let glyph = Glyph::new(&self.namer, face, text, 6 * 64 + 9, Point::new(0, -7), mask);
            PlacedGlyph { glyph, kern_64: if at == 2 { -20 } else { 0 } }
        });
        Op::Text(TextRun { baseline, color, face, glyphs: glyphs.collect() })
    }
}

/// The scene painted whole.
#[allow(dead_code, reason = "not every test paints")]
pub fn painted(root: &Node) -> Canvas {
    let mut canvas = Canvas::new(SIZE);
    canvas.paint(root, &[Rect::of_size(SIZE)], &ScrollOffsets::default(), None);
    canvas
}
