//! Receipts as pictures: the same lines as on paper, drawn in the monospaced face.

use tresen_scene::{Color, Node, Op, Point, Rect, Size};
use tresen_till::receipt::{Align, PrintLine, Style};
use tresen_typeset::{Face, Scale, TextStyle, Typesetter};

use super::COLUMNS;
use crate::picture::{self, PictureError};

/// Size of the letters: their width is then that of a printer's font A, 12 dots.
const LETTER_PX: u16 = 20;
/// Width of a letter in 1/64 px: 1233 of 2048 units of its size, as DejaVu Sans Mono has it.
const LETTER_WIDTH_64: i32 = LETTER_PX as i32 * 64 * 1233 / 2048;
/// Height of a line.
const LINE_PX: i32 = 28;
/// White around.
const MARGIN_PX: i32 = 32;

const INK: Color = Color::rgb(0x00_00_00);
const PAPER: Color = Color::rgb(0xff_ff_ff);

/// `lines` as a PNG file.
///
/// # Errors
/// When there are more lines than a picture is high.
pub fn picture(typesetter: &Typesetter, lines: &[PrintLine]) -> Result<Vec<u8>, PictureError> {
    let paper_w = (COLUMNS as i32 * LETTER_WIDTH_64 + 63) / 64;
    let size = Size::new(paper_w + 2 * MARGIN_PX, lines.len() as i32 * LINE_PX + 2 * MARGIN_PX);
    let rows: Vec<Op> = (0..).zip(lines).map(|(row, line)| draw(typesetter, line, row, paper_w)).collect();
    let mut ops = vec![Op::Fill { rect: Rect::of_size(size), color: PAPER }];
    ops.extend(rows);
    let root = Node::new(typesetter.namer(), 0, ops);
    picture::greys(&picture::paint(&root, size)?)
}

fn draw(typesetter: &Typesetter, line: &PrintLine, row: i32, paper_w: i32) -> Op {
    let face = match line.style {
        Style::Normal => Face::Mono,
        Style::Strong => Face::MonoBold,
    };
    let shaped = typesetter.shape(&line.text, TextStyle::new(face, LETTER_PX), Scale::ONE);
    let x = match line.align {
        Align::Left => 0,
        Align::Center => (paper_w - shaped.width()).max(0) / 2,
    };
    let y = shaped.centred(MARGIN_PX + row * LINE_PX, LINE_PX);
    shaped.draw(Point::new(MARGIN_PX + x, y), INK)
}
