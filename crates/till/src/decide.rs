//! Commands become events, or are refused. Pure.

mod order;
mod pay;

use crate::{
    Check, CheckId, Command, Context, Event, Line, LineId, LoginOutcome, Permission, Place, Refusal, Staff,
    StaffId, Target, Throttle, Till,
};

impl Till {
    /// What a command leads to.
    ///
    /// # Errors
    /// Why it can't be done.
    pub fn decide(&self, context: &Context, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::AddLine { target, product, quantity, modifiers, note } => {
                self.add_line(context, *target, *product, *quantity, modifiers, note)
            }
            Command::ChangeQuantity { check, line, by } => self.change_quantity(context, *check, *line, *by),
            Command::DeleteLine { check, line } => self.delete_line(context, *check, *line),
            Command::SetNote { check, line, note } => self.set_note(context, *check, *line, note),
            Command::SetGuests { target, guests } => self.set_guests(context, *target, *guests),
            Command::Send { check } => self.send(context, *check),
            Command::PayCash { check, expected, tendered } => {
                self.pay_cash(context, *check, *expected, *tendered)
            }
            Command::RecordLogin { staff, outcome } => self.record_login(context, *staff, *outcome),
            Command::LogOut => self.log_out(context),
            Command::Manage(manage) => self.manage(context, manage),
        }
    }

    fn record_login(
        &self,
        context: &Context,
        staff: StaffId,
        outcome: LoginOutcome,
    ) -> Result<Vec<Event>, Refusal> {
        self.staff_member(staff).ok_or(Refusal::NoSuchStaff)?;
        if let Throttle::Locked { until } = self.throttle(staff, &context.device, context.at) {
            return Err(Refusal::Throttled { until });
        }
        Ok(vec![Event::LoginRecorded {
            staff,
            device: context.device.clone(),
            station: context.station,
            at: context.at,
            outcome,
        }])
    }

    fn log_out(&self, context: &Context) -> Result<Vec<Event>, Refusal> {
        let staff = context.staff.ok_or(Refusal::NotLoggedIn)?;
        Ok(vec![Event::LoggedOut { staff, station: context.station, at: context.at }])
    }

    /// Whoever is logged in, when the role has the permission.
    pub(crate) fn permitted(&self, context: &Context, permission: Permission) -> Result<&Staff, Refusal> {
        let staff = context.staff.and_then(|id| self.staff_member(id)).ok_or(Refusal::NotLoggedIn)?;
        if staff.role.may(permission) { Ok(staff) } else { Err(Refusal::NotAllowed(permission)) }
    }

    fn known_check(&self, check: CheckId) -> Result<&Check, Refusal> {
        self.check(check).ok_or(Refusal::NoSuchCheck)
    }

    fn unsent_line(&self, check: CheckId, line: LineId) -> Result<(&Check, &Line), Refusal> {
        let check = self.known_check(check)?;
        let line = check.line(line).ok_or(Refusal::NoSuchLine)?;
        if line.sent_at.is_some() { Err(Refusal::AlreadySent) } else { Ok((check, line)) }
    }

    /// The open check of a target, or the event that opens one. Gives the id either way.
    fn open_or_opening(
        &self,
        context: &Context,
        target: Target,
        by: StaffId,
    ) -> Result<(CheckId, Option<&Check>, Vec<Event>), Refusal> {
        if let Some(check) = self.open_check(&target) {
            return Ok((check.id, Some(check), Vec::new()));
        }
        let place = match target {
            Target::Check(_) => return Err(Refusal::NoSuchCheck),
            Target::Table(table) if self.table(table).is_none() => return Err(Refusal::NoSuchTable),
            Target::Table(table) => Place::Table(table),
            Target::Direct(station) => Place::Direct(station),
        };
        let check = CheckId(self.next_check);
        Ok((check, None, vec![Event::CheckOpened { check, place, at: context.at, by }]))
    }
}
