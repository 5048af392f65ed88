//! Logging in and out.

use jiff::Timestamp;
use tresen_till::{LoginOutcome, PinHash, StaffId, Throttle};

use super::Step;
use crate::app::{App, Job, PinEntry, Screen, Task};
use crate::{Effect, Pin, PinOutcome, World, limits};

/// Until when this person can't try a PIN on this device.
pub(crate) fn throttled_until(world: &World, staff: StaffId) -> Option<Timestamp> {
    match world.till.throttle(staff, world.device, world.now) {
        Throttle::Open => None,
        Throttle::Locked { until } => Some(until),
    }
}

/// How many digits the PIN of a person has.
pub(crate) fn pin_digits(world: &World, staff: StaffId) -> usize {
    let digits =
        world.till.staff_member(staff).map_or(PinHash::DIGITS.into(), |staff| staff.pin_hash.digits());
    digits.clamp(1, limits::PIN_DIGITS)
}

impl Step<'_> {
    pub(super) fn choose_person(&mut self, staff: StaffId) {
        if let Screen::People = self.app.screen {
            self.app.screen = Screen::Pin(PinEntry { staff, pin: Pin::default(), checking: false });
        }
    }

    pub(super) fn pin_digit(&mut self, digit: u8) {
        let Screen::Pin(entry) = &mut self.app.screen else { return };
        if entry.checking || throttled_until(self.world, entry.staff).is_some() {
            return;
        }
        entry.pin.push(digit);
        if entry.pin.len() >= pin_digits(self.world, entry.staff) {
            entry.checking = true;
            self.effects.push(Effect::VerifyPin { staff: entry.staff, pin: std::mem::take(&mut entry.pin) });
        }
    }

    pub(super) fn pin_erase(&mut self) {
        if let Screen::Pin(entry) = &mut self.app.screen {
            entry.pin.pop();
        }
    }

    /// The outcome is recorded first; only then is somebody logged in, or told that the PIN is wrong.
    pub(super) fn pin_checked(&mut self, outcome: PinOutcome) {
        let Screen::Pin(entry) = &mut self.app.screen else { return };
        if entry.checking {
            let staff = entry.staff;
            let outcome = match outcome {
                PinOutcome::Right => LoginOutcome::Success,
                PinOutcome::Wrong => LoginOutcome::WrongPin,
            };
            self.book(Task::Login { staff, outcome });
        }
    }

    /// Who was logged in did not prove it on this device, and is logged out. Bookings on their way stay theirs; what is open is in the till. The
    /// booking may be one more than the queue holds otherwise: the journal has to say until when somebody was here.
    pub(super) fn other_device(&mut self) {
        let mut queue = std::mem::take(&mut self.app.queue);
        let leaving = self.app.staff.map(|staff| Job { staff: Some(staff), task: Task::LogOut });
        queue.jobs.extend(leaving.filter(|job| !queue.jobs.contains(job)));
        *self.app = App { queue, ..App::new() };
    }

    pub(super) fn log_out(&mut self) {
        if self.app.staff.is_some() {
            self.book(Task::LogOut);
        }
    }
}
