//! What a message does. Pure: state and world in, state and effects out.

mod bookings;
mod order;
mod pay;
mod people;
mod reconcile;
mod sheets;

pub(crate) use people::{pin_digits, throttled_until};
pub(crate) use sheets::missing;

use jiff::{SignedDuration, Timestamp};
use tresen_till::Target;

use crate::app::{App, Order, PinEntry, Screen, Toast};
use crate::notice::Notice;
use crate::{Effect, Key, Message, Tap, World, limits};

/// Lets the app hear a message; returns what it wants done, in order.
pub fn update(app: &mut App, world: &World, message: Message) -> Vec<Effect> {
    if matches!(message, Message::Tap(_) | Message::Text(..) | Message::Scan(_) | Message::Key(_)) {
        app.toast = None;
    }
    let mut step = Step { app, world, effects: Vec::new() };
    step.hear(message);
    step.reconcile();
    step.start_next_booking();
    step.effects
}

/// When the view will look different by itself, because a notice ends, a minute passes or a throttled second.
pub fn wake_at(app: &App, world: &World) -> Option<Timestamp> {
    let tick = match &app.screen {
        Screen::Tables => next_multiple(world.now, 60),
        Screen::Pin(entry) => throttled_until(world, entry.staff).and_then(|_| next_multiple(world.now, 1)),
        _ => None,
    };
    let toast = app.toast.as_ref().map(|toast| toast.until).filter(|until| *until > world.now);
    tick.into_iter().chain(toast).min()
}

/// The next whole multiple of so many seconds.
fn next_multiple(now: Timestamp, seconds: i64) -> Option<Timestamp> {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(seconds) + seconds).ok()
}

/// One update on its way.
struct Step<'a> {
    app: &'a mut App,
    world: &'a World<'a>,
    effects: Vec<Effect>,
}

impl Step<'_> {
    fn hear(&mut self, message: Message) {
        match message {
            Message::Tap(tap) => self.tap(tap),
            Message::Text(tap, text) => self.text(&tap, &text),
            Message::Scan(code) => self.scan(&code),
            Message::Key(key) => self.key(key),
            Message::Committed(result) => self.committed(result),
            Message::Failed(reason) => self.failed(reason),
            Message::Pin(outcome) => self.pin_checked(outcome),
            Message::Changed => {}
            Message::Restored => self.restored(),
            Message::OtherDevice => self.other_device(),
            Message::InputsLost => self.tell_for(Notice::InputsLost, limits::RESTORED_NOTICE_MS),
        }
    }

    fn tap(&mut self, tap: Tap) {
        match tap {
            Tap::Dismiss | Tap::SearchText | Tap::NoteText => {}
            Tap::Back => self.back(),
            Tap::Person(staff) => self.choose_person(staff),
            Tap::LogOut => self.log_out(),
            Tap::Filter(filter) => self.app.filter = Some(filter),
            Tap::Layout(layout) => self.app.layout = layout,
            Tap::Table(table) => self.open(Target::Table(table)),
            Tap::Direct => self.open(Target::Direct(self.world.station)),
            Tap::Digit(digit) => self.digit(digit),
            Tap::DoubleZero => self.double_zero(),
            Tap::Erase => self.erase(),
            Tap::Group(group) => self.show_group(group),
            Tap::Product(product) => self.choose_product(product),
            Tap::ProductDetails(product) => self.product_details(product),
            Tap::Search => self.open_search(),
            Tap::PullList => self.pull_list(),
            Tap::Line(line) => self.open_line(line),
            Tap::Send => self.send(),
            Tap::ToPay => self.go_pay(),
            Tap::Guests => self.open_guests(),
            Tap::GuestCount(guests) => self.set_guests(guests),
            Tap::Modifier(modifier) => self.toggle_modifier(modifier),
            Tap::More => self.step_quantity(1),
            Tap::Less => self.step_quantity(-1),
            Tap::Accept => self.accept_sheet(),
            Tap::Repeat => self.repeat_line(),
            Tap::Delete => self.delete_line(),
            Tap::Options => self.line_options(),
            Tap::Tender(amount) => self.tender(amount),
            Tap::PayCash { expected, tendered } => self.pay_cash(expected, tendered),
            Tap::Reprint => self.reprint(),
            Tap::Done => self.receipt_done(),
        }
    }

    fn key(&mut self, key: Key) {
        match key {
            Key::Digit(digit) => self.digit(digit),
            Key::Backspace => self.erase(),
            Key::Back => self.back(),
            Key::Enter => self.enter(),
        }
    }

    /// Does what the widest action on the screen does.
    fn enter(&mut self) {
        match &self.app.screen {
            Screen::People | Screen::Pin(_) | Screen::Tables => {}
            Screen::Order(Order { sheet: Some(_), .. }) => self.accept_sheet(),
            Screen::Order(_) if self.unsent_count() > 0 => self.send(),
            Screen::Order(_) => self.go_pay(),
            Screen::Pay(_) => self.pay_as_shown(),
            Screen::Receipt(_) => self.receipt_done(),
        }
    }

    fn digit(&mut self, digit: u8) {
        match self.app.screen {
            Screen::Pin(_) => self.pin_digit(digit),
            Screen::Pay(_) => self.tendered_digits(digit, 1),
            Screen::Order(_) => self.quantity_digit(digit),
            Screen::People | Screen::Tables | Screen::Receipt(_) => {}
        }
    }

    fn double_zero(&mut self) {
        if let Screen::Pay(_) = self.app.screen {
            self.tendered_digits(0, 2);
        }
    }

    fn erase(&mut self) {
        match self.app.screen {
            Screen::Pin(_) => self.pin_erase(),
            Screen::Pay(_) => self.tendered_erase(),
            Screen::Order(_) => self.quantity_erase(),
            Screen::People | Screen::Tables | Screen::Receipt(_) => {}
        }
    }

    fn back(&mut self) {
        match &mut self.app.screen {
            Screen::People | Screen::Tables => {}
            // The outcome of a check counts; nobody walks away from a wrong PIN.
            Screen::Pin(PinEntry { checking: true, .. }) => {}
            Screen::Pin(_) => self.app.screen = Screen::People,
            Screen::Order(order) => {
                if order.sheet.take().is_none() && order.search.take().is_none() {
                    self.app.screen = Screen::Tables;
                }
            }
            Screen::Pay(pay) => self.app.screen = Screen::Order(pay.order.clone()),
            Screen::Receipt(_) => self.receipt_done(),
        }
    }

    fn open(&mut self, target: Target) {
        if let Screen::Tables = self.app.screen {
            self.app.screen = Screen::Order(Order::new(target));
        }
    }

    fn order(&mut self) -> Option<&mut Order> {
        match &mut self.app.screen {
            Screen::Order(order) => Some(order),
            _ => None,
        }
    }

    fn tell(&mut self, notice: Notice) {
        self.tell_for(notice, limits::NOTICE_MS);
    }

    fn tell_for(&mut self, notice: Notice, time_ms: i64) {
        let until = self.world.now.saturating_add(SignedDuration::from_millis(time_ms));
        self.app.toast = Some(Toast { notice, until: until.unwrap_or(Timestamp::MAX) });
    }
}
