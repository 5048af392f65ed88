//! Who are you, and the PIN.

use tresen_scene::Role;
use tresen_till::{Role as StaffRole, Staff, StaffId};

use super::Scene;
use crate::app::PinEntry;
use crate::notice::Notice;
use crate::ui::{
    Align, EDGE, Element, GAP, Icon, Ink, KEY, Key, Place, State, Surface, Type, Weight, avatar, column,
    grid, header, key, pin_dots, row, scroll, spacer, text,
};
use crate::update::{pin_digits, throttled_until};
use crate::{ScrollArea, Tap};

/// Width of a person's card, at least, in dp.
const CARD: i32 = 144;
const KEYPAD: i32 = 360;
/// Height of a key on a phone held sideways, in dp.
const KEY_SIDEWAYS: i32 = 56;

impl Scene<'_> {
    pub(super) fn people(&self) -> Element {
        let columns = ((self.size.w - 2 * EDGE + GAP) / (CARD + GAP)).clamp(1, 6);
        let cards = self.till().staff().map(|staff| self.person(staff));
        let cards = grid(columns as u16).gap(GAP).children(cards.collect::<Vec<_>>());
        let content = column()
            .gap(EDGE)
            .child(text(Type::Amount, self.words.who).role(Role::Heading))
            .child(cards)
            .pad(EDGE)
            .pad_top(24);
        let bar = header(self.till().site().name.clone()).subtitle(self.world.station_name);
        column().child(bar).child(scroll(ScrollArea::People.action(), content)).children(self.banner())
    }

    fn person(&self, staff: &Staff) -> Element {
        let role = match staff.role {
            StaffRole::Waiter => self.words.waiter,
            StaffRole::Manager => self.words.manager,
            StaffRole::Owner => self.words.owner,
        };
        column()
            .align(Align::Center)
            .gap(4)
            .child(avatar(&staff.name, 64))
            .child(
                text(Type::Title, staff.name.clone()).weight(Weight::Semibold).centred().lines(1).pad_top(8),
            )
            .child(text(Type::Label, role).muted().centred().lines(1))
            .pad(EDGE)
            .on_surface(Surface::card())
            .pressable(Tap::Person(staff.id).action(), Role::Button, staff.name.clone())
            .key(("person", staff.id))
    }

    pub(super) fn pin(&self, entry: &PinEntry) -> Element {
        let bar = header(self.till().site().name.clone()).subtitle(self.world.station_name);
        let keys = self.pin_keys(entry.staff).max_width(KEYPAD);
        let person = column()
            .grow()
            .align(Align::Center)
            .child(spacer())
            .child(self.pin_person(entry))
            .child(spacer());
        let beside = self.size.w > self.size.h;
        let content = if beside {
            row()
                .align(Align::Stretch)
                .child(person)
                .child(column().grow().child(spacer()).child(keys).child(spacer()))
        } else {
            column()
                .child(person)
                .child(keys.width((self.size.w - 2 * EDGE).min(KEYPAD)).align_self(Align::Center))
        };
        column().child(bar).child(content.grow().pad(EDGE))
    }

    fn pin_person(&self, entry: &PinEntry) -> Element {
        let name = self.till().staff_member(entry.staff).map_or("", |staff| staff.name.as_str());
        let (hint, ink) = match throttled_until(self.world, entry.staff) {
            Some(until) => (self.words.wait(until, self.world.now, self.till().site()), Ink::Late),
            None if entry.checking => (self.words.checking.to_owned(), Ink::Muted),
            None if self.pin_was_wrong() => (self.words.wrong_pin.to_owned(), Ink::Late),
            None => (self.words.enter_pin.to_owned(), Ink::Muted),
        };
        let digits = pin_digits(self.world, entry.staff);
        let typed = if entry.checking { digits } else { entry.pin.len() };
        let dots = pin_dots(typed, digits, "PIN");
        column()
            .align(Align::Center)
            .gap(GAP)
            .child(avatar(name, 72))
            .child(text(Type::Key, name).weight(Weight::Semibold).centred().lines(1).pad_top(4))
            .child(text(Type::Body, hint).ink(ink).centred().lines(2).role(Role::Status))
            .child(if self.pin_was_wrong() { dots.failed() } else { dots }.pad_top(GAP))
            .key("who")
    }

    fn pin_was_wrong(&self) -> bool {
        self.notice() == Some(&Notice::WrongPin)
    }

    fn pin_keys(&self, staff: StaffId) -> Element {
        let state = State::ready_when(throttled_until(self.world, staff).is_none());
        let height = if self.is_sideways() { KEY_SIDEWAYS } else { KEY };
        let digit = |digit: u8| key(digit.to_string(), Tap::Digit(digit).action()).state(state);
        let keys: Vec<Key> = (1..=9)
            .map(digit)
            .chain([
                key(self.words.switch, Tap::Back.action()).quiet(),
                digit(0),
                key(self.words.erase, Tap::Erase.action()).icon(Icon::Delete).state(state),
            ])
            .collect();
        grid(3).gap(GAP).children(keys.into_iter().map(|key| key.height(height))).key("keys")
    }
}
