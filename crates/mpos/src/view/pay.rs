//! Paying in cash.

use tresen_till::{Money, money};

use super::Scene;
use crate::Tap;
use crate::app::{Pay, Task};
use crate::ui::{
    Align, Doubt, EDGE, Element, GAP, Icon, Ink, Place, Selected, State, Surface, Type, Weight, amount,
    button, choice, column, divider, grid, header, key, row, spacer, text,
};

/// All that is on the screen but keys, in dp.
const REST: i32 = 408;
/// Lowest and highest keys, in dp.
const KEY: (i32, i32) = (48, 64);
const KEYPAD: i32 = 400;
/// Width of the keys on a phone held sideways, in dp, and their place beside the sums.
const KEYPAD_SIDEWAYS: i32 = 256;
/// Room beside an amount in a suggestion, in dp.
const NOTE_SIDES: i32 = 20;

/// What is to be paid, and with what.
struct Sums {
    total: Money,
    due: Money,
    tendered: Money,
}

impl Scene<'_> {
    pub(super) fn pay(&self, pay: &Pay) -> Element {
        let place = self.words.place(&pay.order.target, self.till());
        let bar = header(format!("{} · {place}", self.words.pay))
            .subtitle(self.staff_name())
            .back(Tap::Back.action(), self.words.back);
        let total = self.till().check(pay.check).map_or(Money::ZERO, |check| check.total());
        let due = self.currency().cash_due(total);
        let sums = Sums { total, due, tendered: pay.tendered.unwrap_or(due) };
        let content = if self.is_sideways() {
            let left = column().grow().child(self.sums(&sums).pad_x(EDGE).pad_y(GAP)).min_height(0);
            let right = column()
                .child(self.pay_keys())
                .child(self.pay_button(pay, &sums))
                .gap(GAP)
                .pad_x(EDGE)
                .pad_y(GAP)
                .width(KEYPAD_SIDEWAYS + 2 * EDGE);
            row().align(Align::Stretch).child(left).child(right)
        } else if self.is_wide() || self.size.w > self.size.h {
            let lines = self.till().check(pay.check).map(|check| self.rows_to_read(check));
            let left = column().grow().child(self.sums(&sums).pad(24)).children(lines).min_height(0);
            let right =
                column().grow().child(spacer()).child(self.pay_keys()).child(self.pay_button(pay, &sums));
            let right = right.gap(EDGE).pad(EDGE).max_width(KEYPAD + 2 * EDGE);
            row().align(Align::Stretch).child(left).child(right)
        } else {
            let parts = column()
                .child(self.sums(&sums))
                .child(spacer())
                .child(self.pay_keys())
                .pad(EDGE)
                .pad_bottom(GAP);
            column().child(parts.grow()).child(divider()).child(self.pay_bar(pay, &sums))
        };
        column().child(bar).child(content.grow().min_height(0))
    }

    /// What is open, what the guest may give, and what comes back.
    fn sums(&self, sums: &Sums) -> Element {
        let open = amount(Type::HugeAmount, self.amount(sums.total)).doubt(Doubt::Shared);
        let suggested = money::suggested_notes(sums.due).into_iter().map(|note| {
            let given =
                choice(self.plain(note), Selected::when(note == sums.tendered), Tap::Tender(note).action());
            if note == sums.due { given.extra(self.words.exact) } else { given }
        });
        let suggested: Vec<_> = suggested.take(self.notes_that_fit(sums.due)).collect();
        column()
            .child(text(Type::Label, self.words.open_amount).muted())
            .child(row().child(open).named(format!("{} {}", self.words.open_amount, self.amount(sums.total))))
            .child(grid(suggested.len().max(1) as u16).gap(GAP).children(suggested).pad_y(12))
            .child(self.sum(self.words.given, Type::Action, sums.tendered, Ink::Text))
            .child(self.change(sums))
            .key("sums")
    }

    /// As many as stand beside one another without breaking an amount.
    fn notes_that_fit(&self, due: Money) -> usize {
        let width = match (self.is_sideways(), self.is_wide() || self.size.w > self.size.h) {
            (true, _) => self.size.w - KEYPAD_SIDEWAYS - 4 * EDGE,
            (false, true) => self.size.w - (KEYPAD + 2 * EDGE).min(self.size.w / 2) - 2 * 24,
            (false, false) => self.size.w - 2 * EDGE,
        };
        let style = Type::Label.style(Weight::Semibold);
        let width_of = |note| self.kit.typesetter.shape(&self.plain(note), style, self.kit.scale).width();
        let widest = money::suggested_notes(due).into_iter().map(width_of).max().unwrap_or(0);
        let room = self.kit.px(width + GAP);
        (room / (widest + self.kit.px(NOTE_SIDES + GAP))).max(1) as usize
    }

    fn change(&self, sums: &Sums) -> Element {
        if sums.tendered < sums.due {
            self.sum(self.words.missing, Type::Amount, sums.due - sums.tendered, Ink::Late)
        } else {
            self.sum(self.words.change, Type::Amount, sums.tendered - sums.due, Ink::Accent)
        }
    }

    fn sum(&self, label: &'static str, of: Type, sum: Money, ink: Ink) -> Element {
        let said = format!("{label} {}", self.amount(sum));
        let sum = amount(of, self.amount(sum)).ink(ink);
        row()
            .child(text(Type::Body, label).muted().weight(Weight::Medium).lines(1).grow())
            .child(sum)
            .min_height(32)
            .named(said)
    }

    fn pay_keys(&self) -> Element {
        let (lowest, highest) = KEY;
        let height = ((self.size.h - REST) / 4).clamp(lowest, highest);
        let digit = |digit: u8| key(digit.to_string(), Tap::Digit(digit).action()).height(height);
        let digits = (1..=9).map(digit).collect::<Vec<_>>();
        let zeros = key(self.words.double_zero, Tap::DoubleZero.action()).height(height);
        let erase = key(self.words.erase, Tap::Erase.action()).icon(Icon::Delete).height(height);
        grid(3).gap(GAP).children(digits).child(zeros).child(digit(0)).child(erase).key("keys")
    }

    fn pay_bar(&self, pay: &Pay, sums: &Sums) -> Element {
        let bar = row().child(self.pay_button(pay, sums).grow()).pad_x(EDGE).pad_y(GAP);
        bar.on_surface(Surface::plain(Ink::Card)).key("bottom bar")
    }

    fn pay_button(&self, pay: &Pay, sums: &Sums) -> Element {
        let paying = |task: &Task| matches!(task, Task::Pay { check, .. } if *check == pay.check);
        let state = match self.app.queue.jobs.iter().any(|job| paying(&job.task)) {
            true => State::Pending,
            false => State::ready_when(sums.tendered >= sums.due),
        };
        let action = Tap::PayCash { expected: sums.total, tendered: sums.tendered }.action();
        button(self.words.cash_received, action)
            .primary()
            .trailing(self.amount(sums.tendered))
            .state(state)
            .into()
    }
}
