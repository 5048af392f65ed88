//! A receipt: monospaced lines on paper.

use smol_str::SmolStr;
use tresen_scene::{Role, Size};
use tresen_typeset::{Face, TextStyle};

use super::{component, inputs_of};
use crate::ui::{Component, Ink, Kit, Pen, Space};

/// Printed lines; see [`paper`].
#[derive(Clone, Debug, Hash)]
pub struct Paper {
    columns: usize,
    lines: Vec<PaperLine>,
}

/// A printed line.
#[derive(Clone, Debug, Hash)]
pub struct PaperLine {
    /// What it says, in at most the paper's columns.
    pub text: SmolStr,
    /// How it is printed.
    pub style: PaperStyle,
    /// Where it stands.
    pub align: PaperAlign,
}

/// How a line is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PaperStyle {
    /// Plain.
    #[default]
    Plain,
    /// Bold.
    Bold,
    /// Twice as large and bold: it has half the columns.
    Large,
}

/// Where a printed line stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PaperAlign {
    /// At the left.
    #[default]
    Left,
    /// In the middle.
    Center,
    /// At the right.
    Right,
}

/// Lines of `columns` letters, as large as the width allows.
pub fn paper(columns: usize, lines: impl IntoIterator<Item = PaperLine>) -> Paper {
    Paper { columns: columns.max(1), lines: lines.into_iter().collect() }
}

/// Sizes of letters in dp, the largest that fits first.
const SIZES: [u16; 7] = [15, 14, 13, 12, 11, 10, 9];

impl Paper {
    /// The largest size whose columns fit into `width` pixels.
    fn size(&self, kit: &Kit, width: i32) -> u16 {
        let fits = |size: &u16| self.width(kit, *size) <= width;
        SIZES.into_iter().find(|size| fits(size)).unwrap_or(SIZES[SIZES.len() - 1])
    }

    fn width(&self, kit: &Kit, size: u16) -> i32 {
        let columns = "0".repeat(self.columns.min(128));
        kit.typesetter.shape(&columns, TextStyle::new(Face::Mono, size), kit.scale).width()
    }
}

const fn line_height(size: u16, style: PaperStyle) -> i32 {
    let line = size as i32 * 4 / 3;
    match style {
        PaperStyle::Plain | PaperStyle::Bold => line,
        PaperStyle::Large => 2 * line,
    }
}

component!(Paper);

impl Component for Paper {
    inputs_of!("paper");

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        let smallest = SIZES[SIZES.len() - 1];
        let width = space.clamp(self.width(kit, smallest), self.width(kit, SIZES[0]));
        let size = self.size(kit, width);
        let height = self.lines.iter().map(|line| kit.px(line_height(size, line.style))).sum();
        Size::new(width, height)
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let (kit, area) = (pen.kit(), pen.area());
        let size = self.size(kit, area.w);
        let block = self.width(kit, size);
        let left = (area.w - block) / 2;
        pen.label(area, Role::Text, None);
        let mut top = 0;
        for line in &self.lines {
            let style = match line.style {
                PaperStyle::Plain => TextStyle::new(Face::Mono, size),
                PaperStyle::Bold => TextStyle::new(Face::MonoBold, size),
                PaperStyle::Large => TextStyle::new(Face::MonoBold, 2 * size),
            };
            let height = pen.px(line_height(size, line.style));
            let shaped = pen.shape_style(&line.text, style);
            let x = match line.align {
                PaperAlign::Left => left,
                PaperAlign::Center => left + (block - shaped.width()) / 2,
                PaperAlign::Right => left + block - shaped.width(),
            };
            pen.line(&shaped, x, top, height, Ink::Text);
            top += height;
        }
    }
}
