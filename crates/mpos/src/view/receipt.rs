//! A receipt that was just issued.

use tresen_scene::Role;
use tresen_till::{Receipt, ReceiptNumber, receipt};

use super::{Scene, bottom_bar};
use crate::ui::{
    Align, EDGE, Element, GAP, Ink, PaperAlign, PaperLine, PaperStyle, Place, Surface, Type, Weight, amount,
    button, column, header, paper, row, scroll, spacer, text,
};
use crate::{ScrollArea, Tap};

/// Letters of a printed line on the screen.
const COLUMNS: usize = 38;
/// Widest paper, in dp.
const PAPER: i32 = 400;
/// Least width of what stands beside the paper on a phone held sideways, in dp.
const SIDE: i32 = 264;

impl Scene<'_> {
    pub(super) fn receipt(&self, number: ReceiptNumber) -> Element {
        let bar = header(self.words.paid).subtitle(format!("{} {number}", self.words.receipt));
        let found = self.till().receipt(number);
        let beside = if self.is_sideways() { SIDE } else { 0 };
        let width = (self.size.w - 2 * EDGE - beside).min(PAPER);
        let sheet = found.map(|receipt| self.paper(receipt).width(width));
        let content = column().align(Align::Center).children(sheet).pad(EDGE);
        let print = button(self.words.print, Tap::Reprint.action());
        let done = button(self.words.done, Tap::Done.action()).primary();
        if self.is_sideways() {
            let paper = scroll(ScrollArea::Receipt(number).action(), content);
            let buttons = row().gap(GAP).child(print.grow_by(2.0)).child(done.grow_by(3.0));
            let side = column()
                .children(found.map(|receipt| self.given_back(receipt)))
                .child(spacer())
                .children(self.banner())
                .child(buttons.pad(EDGE))
                .width((self.size.w - width - 2 * EDGE).max(SIDE));
            let content = row().align(Align::Stretch).child(paper).child(side).grow().min_height(0);
            return column().child(bar).child(content);
        }
        column()
            .child(bar)
            .children(found.map(|receipt| self.given_back(receipt)))
            .child(scroll(ScrollArea::Receipt(number).action(), content))
            .children(self.banner())
            .child(bottom_bar(Some(print), done))
    }

    /// The change once more, large: it is what the waiter does next.
    fn given_back(&self, receipt: &Receipt) -> Element {
        let label = text(Type::Action, self.words.change).weight(Weight::Medium).ink(Ink::Accent).lines(1);
        let change = amount(Type::LargeAmount, self.amount(receipt.change)).ink(Ink::Accent);
        row()
            .child(label.role(Role::Status).grow())
            .child(change)
            .pad_x(EDGE)
            .pad_y(8)
            .on_surface(Surface::plain(Ink::AccentTint))
            .key("change")
    }

    fn paper(&self, issued: &Receipt) -> Element {
        let lines = receipt::lines(issued, self.till().site(), self.world.language, COLUMNS);
        let printed = lines.into_iter().map(|line| PaperLine {
            text: line.text.into(),
            style: match line.style {
                receipt::Style::Normal => PaperStyle::Plain,
                receipt::Style::Strong => PaperStyle::Bold,
            },
            align: match line.align {
                receipt::Align::Left => PaperAlign::Left,
                receipt::Align::Center => PaperAlign::Center,
            },
        });
        column().child(paper(COLUMNS, printed)).pad_x(12).pad_y(EDGE).on_surface(Surface::paper())
    }
}
