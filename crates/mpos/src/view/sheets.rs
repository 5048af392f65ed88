//! What lies over the order.

use tresen_scene::Role;
use tresen_till::{Line, ModifierGroup, Money, Product};

use super::Scene;
use crate::app::{Choice, LineEdit, Order};
use crate::ui::{
    Align, EDGE, Element, GAP, Icon, Ink, Place, Selected, State, Type, Weight, amount, button, choice,
    column, field, grid, icon_button, key, row, scroll, spacer, stepper, text,
};
use crate::update::missing;
use crate::words::clock;
use crate::{ScrollArea, Tap, limits};

/// Numbers of guests that are one tap away.
const GUESTS: u16 = 12;
/// Height of a question without its answers, and of a row of answers, in dp.
const QUESTION: i32 = 24 + EDGE;
const ANSWERS: i32 = 56 + GAP;
/// Answers beside one another, when they are short and when they are not.
const COLUMNS: i32 = 3;
const FEWER_COLUMNS: i32 = 2;
/// Widest sheet, in dp, and what is beside the text of an answer.
const SHEET: i32 = 560;
const ANSWER_SIDES: i32 = 20;
/// Height of a key of the quantity's keypad, in dp, and the width of all of them on a phone held sideways.
const KEY: i32 = 48;
const KEYS_SIDEWAYS: i32 = 256;

impl Scene<'_> {
    /// A product being chosen: its questions, how many, a note.
    pub(super) fn choice_sheet(&self, chosen: &Choice) -> Option<Element> {
        let product = self.till().catalog().product(chosen.product)?;
        let questions: Vec<&ModifierGroup> = self.till().catalog().questions(product).collect();
        let asks = !questions.is_empty();
        let blocks = questions.iter().map(|group| self.question(chosen, group));
        let note =
            field(self.words.note, chosen.note.clone(), Tap::NoteText.action()).hint(self.words.note_hint);
        let body =
            column().gap(EDGE).children(blocks.collect::<Vec<_>>()).child(note).pad_x(EDGE).pad_bottom(EDGE);
        let sheet = column()
            .child(self.sheet_title(product.name.clone(), Some(unit_price(product, chosen, &questions))));
        let body = self.blocks(chosen, &questions, body);
        let accept = self.accept(chosen, product, &questions);
        let sheet = match (asks, self.is_sideways()) {
            (true, false) => {
                sheet.child(body).child(self.quantity_row(chosen)).child(accept.pad(EDGE).pad_top(GAP))
            }
            (true, true) => {
                let last = row().gap(EDGE).child(self.quantity(chosen)).child(accept.grow());
                sheet.child(body).child(last.pad_x(EDGE).pad_y(GAP))
            }
            (false, false) => {
                sheet.child(body).child(quantity_keys(chosen)).child(accept.pad(EDGE).pad_top(GAP))
            }
            (false, true) => {
                let left =
                    column().child(number(chosen)).child(body).child(spacer()).child(accept.pad_x(EDGE));
                let keys = digits(KEY).width(KEYS_SIDEWAYS);
                let parts = row().align(Align::Stretch).child(left.grow()).child(keys);
                sheet.child(parts.pad_bottom(EDGE).pad_right(EDGE))
            }
        };
        Some(sheet.key("choice"))
    }

    /// The questions scroll; when one was left out, it is brought into sight.
    fn blocks(&self, chosen: &Choice, questions: &[&ModifierGroup], body: Element) -> Element {
        let left_out = missing(chosen, self.till().catalog()).next().filter(|_| chosen.insisted);
        let above =
            questions.iter().take_while(|group| left_out.is_some_and(|left_out| left_out.id != group.id));
        let rows = |group: &ModifierGroup| {
            (group.modifiers.len() as i32 + self.columns(group) - 1) / self.columns(group)
        };
        let height = |group: &&ModifierGroup| QUESTION + ANSWERS * rows(group);
        let offset = above.map(height).sum();
        scroll(ScrollArea::Sheet.action(), body).hugging().scrolled_to(offset)
    }

    fn question(&self, chosen: &Choice, group: &ModifierGroup) -> Element {
        let is_missing = missing(chosen, self.till().catalog()).any(|left_out| left_out.id == group.id);
        let (hint, ink) = match (is_missing, chosen.insisted, group.is_required(), group.max > 1) {
            (true, true, ..) => (self.words.still_missing, Ink::Late),
            (true, false, ..) => (self.words.please_choose, Ink::Waits),
            (_, _, true, _) => ("", Ink::Muted),
            (_, _, false, true) => (self.words.several, Ink::Muted),
            (_, _, false, false) => (self.words.optional, Ink::Muted),
        };
        let title =
            text(Type::Body, group.name.clone()).weight(Weight::Semibold).lines(1).role(Role::Heading);
        let title = row().gap(GAP).child(title.grow()).child(text(Type::Label, hint).ink(ink).lines(1));
        let answers = group.modifiers.iter().map(|modifier| {
            let selected = Selected::when(chosen.chosen.contains(&modifier.id));
            let answer = choice(modifier.name.clone(), selected, Tap::Modifier(modifier.id).action());
            match modifier.price {
                Money::ZERO => answer,
                price if price.is_negative() => answer.extra(self.plain(price)),
                price => answer.extra(format!("+{}", self.plain(price))),
            }
        });
        let answers = grid(self.columns(group) as u16).gap(GAP).children(answers.collect::<Vec<_>>());
        column().gap(GAP).child(title.min_height(24)).child(answers).key(("question", group.id))
    }

    /// Three, unless an answer is too long for a third of the sheet.
    fn columns(&self, group: &ModifierGroup) -> i32 {
        let room = (self.size.w.min(SHEET) - 2 * EDGE - (COLUMNS - 1) * GAP) / COLUMNS - ANSWER_SIDES;
        let style = Type::Body.style(Weight::Semibold);
        let fits = |piece: &str| {
            self.kit.typesetter.shape(piece, style, self.kit.scale).width() <= self.kit.px(room)
        };
        let short = group.modifiers.iter().all(|modifier| match modifier.price {
            Money::ZERO => modifier.name.split_whitespace().all(fits),
            _ => fits(&modifier.name),
        });
        if short { COLUMNS } else { FEWER_COLUMNS }
    }

    fn quantity_row(&self, chosen: &Choice) -> Element {
        let title = text(Type::Body, self.words.quantity).weight(Weight::Semibold).lines(1);
        row().child(title.grow()).child(self.quantity(chosen)).pad_x(EDGE).pad_y(GAP).key("quantity")
    }

    fn quantity(&self, chosen: &Choice) -> Element {
        let less = icon_button(Icon::Minus, self.words.less, Tap::Less.action());
        let more = icon_button(Icon::Plus, self.words.more, Tap::More.action());
        stepper(chosen.quantity.to_string(), less.state(State::ready_when(chosen.quantity > 1)), more)
    }

    fn accept(&self, chosen: &Choice, product: &Product, questions: &[&ModifierGroup]) -> Element {
        let total = unit_price(product, chosen, questions).times(chosen.quantity.max(1));
        let word = if chosen.replaces.is_some() { self.words.take_over } else { self.words.add };
        let text =
            if chosen.quantity > 1 { format!("{} · {}", word, chosen.quantity) } else { word.to_owned() };
        let accept = button(text, Tap::Accept.action()).primary().trailing(self.amount(total));
        row().child(accept.grow())
    }

    fn sheet_title(&self, title: impl Into<smol_str::SmolStr>, price: Option<Money>) -> Element {
        let title = text(Type::Title, title).weight(Weight::Semibold).lines(2).role(Role::Heading);
        let close = icon_button(Icon::X, self.words.close, Tap::Back.action()).ink(Ink::Muted);
        row()
            .gap(GAP)
            .child(title.grow())
            .children(price.map(|price| amount(Type::Body, self.amount(price)).ink(Ink::Muted)))
            .child(close)
            .pad_x(EDGE)
            .pad_y(GAP)
            .key("title")
    }

    /// A line: what can still be done with it.
    pub(super) fn line_sheet(&self, order: &Order, edit: &LineEdit) -> Option<Element> {
        let line = self.till().open_check(&order.target)?.line(edit.line)?;
        let sheet = column()
            .child(self.sheet_title(line.name.clone(), Some(line.total())))
            .child(self.line_facts(line));
        let repeat = button(self.words.repeat, Tap::Repeat.action()).icon(Icon::Repeat2);
        if line.sent_at.is_some() {
            let repeat = repeat.primary().trailing(self.amount(line.total()));
            return Some(sheet.child(row().child(repeat.grow()).pad(EDGE)).key("line"));
        }
        let has_options =
            self.till().catalog().product(line.product).is_some_and(|p| !p.modifier_groups.is_empty());
        let options = has_options
            .then(|| button(self.words.options, Tap::Options.action()).icon(Icon::SlidersHorizontal));
        let delete = button(self.words.delete, Tap::Delete.action()).danger().icon(Icon::Trash2);
        let done = button(self.words.done, Tap::Accept.action()).primary();
        let note = edit.note.clone().unwrap_or_else(|| line.note.clone());
        let note = field(self.words.note, note, Tap::NoteText.action()).hint(self.words.note_hint);
        if self.is_sideways() {
            let first = row().gap(EDGE).child(self.line_quantity(line).grow()).child(note.grow());
            let last = row().gap(GAP).child(delete.grow()).children(options.map(|options| options.grow()));
            let last = last.child(repeat.grow_by(1.2)).child(done.grow());
            let parts = column().gap(GAP).child(first).child(last).pad(EDGE).pad_top(0);
            return Some(sheet.child(parts).key("line"));
        }
        let others = row().gap(GAP).child(repeat.grow()).children(options.map(|options| options.grow()));
        let last = row().gap(GAP).child(delete.grow_by(2.0)).child(done.grow_by(3.0));
        let parts = column().gap(EDGE).child(self.line_quantity(line)).child(note).child(others).child(last);
        Some(sheet.child(parts.pad(EDGE).pad_top(GAP)).key("line"))
    }

    fn line_facts(&self, line: &Line) -> Element {
        let site = self.till().site();
        let by = self.till().staff_member(line.by).map_or("", |staff| staff.name.as_str());
        let quantity = format!("{} × {}", line.quantity, self.plain(line.unit_price));
        let when = match line.sent_at {
            Some(sent) => self.words.sent_at(&clock(site, sent), by),
            None => self.words.added_at(&clock(site, line.added_at), by),
        };
        let details =
            line.modifiers.iter().map(|modifier| modifier.name.as_str()).collect::<Vec<_>>().join(" · ");
        let details = Some(details).filter(|details| !details.is_empty());
        let note = Some(&line.note).filter(|note| line.sent_at.is_some() && !note.is_empty());
        column()
            .gap(4)
            .children(details.map(|details| text(Type::Body, details)))
            .children(note.map(|note| text(Type::Body, format!("„{note}“"))))
            .child(text(Type::Label, format!("{quantity} · {when}")).muted())
            .pad_x(EDGE)
    }

    fn line_quantity(&self, line: &Line) -> Element {
        let less = icon_button(Icon::Minus, self.words.less, Tap::Less.action());
        let more = icon_button(Icon::Plus, self.words.more, Tap::More.action());
        let less = less.state(State::ready_when(line.quantity > 1));
        let title = text(Type::Body, self.words.quantity).weight(Weight::Semibold).lines(1);
        row().child(title.grow()).child(stepper(line.quantity.to_string(), less, more)).key("quantity")
    }

    /// How many guests: one tap.
    pub(super) fn guests_sheet(&self, order: &Order) -> Option<Element> {
        let guests = self.till().open_check(&order.target).map_or(0, |check| check.guests);
        let number = |count: u16| {
            let selected = Selected::when(count == guests);
            choice(count.to_string(), selected, Tap::GuestCount(count).action())
        };
        let numbers =
            grid(if self.is_sideways() { 6 } else { 4 }).gap(GAP).children((1..=GUESTS).map(number));
        let less = icon_button(Icon::Minus, self.words.less, Tap::Less.action());
        let more = icon_button(Icon::Plus, self.words.more, Tap::More.action());
        let less = less.state(State::ready_when(guests > 0));
        let more = more.state(State::ready_when(guests < limits::GUESTS));
        let title = text(Type::Body, self.words.more_guests).weight(Weight::Semibold).lines(1);
        let exact = row().child(title.grow()).child(stepper(guests.to_string(), less, more));
        let parts = column().gap(EDGE).child(numbers).child(exact).pad(EDGE).pad_top(GAP);
        Some(column().child(self.sheet_title(self.words.guests, None)).child(parts).key("guests"))
    }
}

/// How many, typed: for products that ask nothing.
fn quantity_keys(chosen: &Choice) -> Element {
    column().gap(GAP).child(number(chosen)).child(digits(KEY)).pad_x(EDGE).key("keys")
}

fn number(chosen: &Choice) -> Element {
    text(Type::LargeAmount, chosen.quantity.to_string()).centred().lines(1).role(Role::Status).into()
}

fn digits(height: i32) -> Element {
    let digit = |digit: u8| key(digit.to_string(), Tap::Digit(digit).action()).height(height);
    let keys = (1..=9).map(digit).collect::<Vec<_>>();
    let erase = key("⌫", Tap::Erase.action()).icon(Icon::Delete).height(height);
    grid(3).gap(GAP).children(keys).child(spacer()).child(digit(0)).child(erase)
}

/// What one of a product costs as it was chosen.
pub(super) fn unit_price(product: &Product, chosen: &Choice, questions: &[&ModifierGroup]) -> Money {
    let modifiers = questions.iter().flat_map(|group| &group.modifiers);
    let extra: Money =
        modifiers.filter(|known| chosen.chosen.contains(&known.id)).map(|known| known.price).sum();
    product.price + extra
}
