//! Events become state. Total: an event that finds nothing to change changes nothing.

use std::sync::Arc;

use jiff::Timestamp;

use crate::till::is_office;
use crate::{Check, CheckId, Event, Line, LineId, Place, Receipt, StaffId, Ticket, Till, limits};

impl Till {
    /// Makes an event part of the state.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::SitePut(site) => self.site = Arc::new(site.clone()),
            Event::StaffPut(staff) => {
                self.next_staff = self.next_staff.max(staff.id.0.saturating_add(1));
                self.staff.insert(staff.id, staff.clone());
            }
            Event::StaffRemoved(id) => {
                self.staff.remove(id);
                Arc::make_mut(&mut self.failed).forget_staff(*id);
                Arc::make_mut(&mut self.failed_in_office).forget_staff(*id);
            }
            Event::AreaPut(area) => Arc::make_mut(&mut self.floor).put_area(area),
            Event::AreaRemoved(id) => Arc::make_mut(&mut self.floor).remove_area(*id),
            Event::TablePut(table) => Arc::make_mut(&mut self.floor).put_table(table),
            Event::TableRemoved(id) => Arc::make_mut(&mut self.floor).remove_table(*id),
            Event::PreparationPut(preparation) => {
                Arc::make_mut(&mut self.catalog).put_preparation(preparation)
            }
            Event::PreparationRemoved(id) => Arc::make_mut(&mut self.catalog).remove_preparation(*id),
            Event::GroupPut(group) => Arc::make_mut(&mut self.catalog).put_group(group),
            Event::GroupRemoved(id) => Arc::make_mut(&mut self.catalog).remove_group(*id),
            Event::ModifierGroupPut(group) => Arc::make_mut(&mut self.catalog).put_modifier_group(group),
            Event::ModifierGroupRemoved(id) => Arc::make_mut(&mut self.catalog).remove_modifier_group(*id),
            Event::ProductPut(product) => Arc::make_mut(&mut self.catalog).put_product(product),
            Event::ProductRemoved(id) => {
                Arc::make_mut(&mut self.catalog).remove_product(*id);
                self.photos.remove(id);
            }
            Event::LoginRecorded { staff, device, station: _, at, outcome } => {
                let failed = if is_office(device) { &mut self.failed_in_office } else { &mut self.failed };
                Arc::make_mut(failed).record(*staff, device, *at, *outcome);
            }
            Event::LoggedOut { staff: _, station: _, at: _ } => {}
            Event::CheckOpened { check, place, at, by } => self.open_new(*check, *place, *at, *by),
            Event::GuestsSet { check, guests, at: _, by: _ } => {
                self.change(*check, |check| check.guests = *guests)
            }
            Event::LineAdded { check, line } => self.change(*check, |check| check.add_line(line)),
            Event::QuantityChanged { check, line, by, at: _, staff: _ } => self.change(*check, |check| {
                check.change_line(*line, |line| line.quantity = line.quantity.saturating_add_signed(*by));
            }),
            Event::LineDeleted { check, line, at: _, staff: _ } => {
                self.change(*check, |check| check.lines.retain(|kept| kept.id != *line));
            }
            Event::NoteSet { check, line, note, at: _, staff: _ } => self.change(*check, |check| {
                check.change_line(*line, |line| line.note = note.clone());
            }),
            Event::LinesSent { check, lines, tickets, at, staff: _ } => {
                self.change(*check, |check| check.mark_sent(lines, *at));
                tickets.iter().for_each(|ticket| self.keep_ticket(ticket));
            }
            Event::CheckPaid { receipt } => {
                self.close(receipt.check);
                self.keep_receipt(receipt);
            }
            Event::CheckDiscarded { check, at: _, staff: _ } => self.close(*check),
            Event::PhotoSet { product, photo: Some(photo) } => {
                self.photos.insert(*product, *photo);
            }
            Event::PhotoSet { product, photo: None } => {
                self.photos.remove(product);
            }
        }
    }

    fn open_new(&mut self, id: CheckId, place: Place, opened_at: Timestamp, opened_by: StaffId) {
        self.next_check = self.next_check.max(id.0.saturating_add(1));
        self.open.insert(place, id);
        let check = Check { id, place, guests: 0, opened_at, opened_by, lines: Vec::new(), next_line: 1 };
        self.checks.insert(id, Arc::new(check));
    }

    fn change(&mut self, check: CheckId, change: impl FnOnce(&mut Check)) {
        if let Some(check) = self.checks.get_mut(&check) {
            change(Arc::make_mut(check));
        }
    }

    fn close(&mut self, check: CheckId) {
        if let Some(closed) = self.checks.remove(&check) {
            self.open.remove(&closed.place);
        }
    }

    fn keep_receipt(&mut self, receipt: &Arc<Receipt>) {
        self.next_receipt = self.next_receipt.max(receipt.number.0.saturating_add(1));
        self.receipts.insert(receipt.number, receipt.clone());
        while self.receipts.len() > limits::RECEIPTS_KEPT {
            self.receipts = self.receipts.without_min().1;
        }
    }

    fn keep_ticket(&mut self, ticket: &Arc<Ticket>) {
        self.next_ticket = self.next_ticket.max(ticket.id.0.saturating_add(1));
        self.tickets.insert(ticket.id, ticket.clone());
        while self.tickets.len() > limits::TICKETS_KEPT {
            self.tickets = self.tickets.without_min().1;
        }
    }
}

impl Check {
    fn add_line(&mut self, line: &Line) {
        self.next_line = self.next_line.max(line.id.0.saturating_add(1));
        self.lines.push(Arc::new(line.clone()));
    }

    fn mark_sent(&mut self, lines: &[LineId], at: Timestamp) {
        for id in lines {
            self.change_line(*id, |line| line.sent_at = Some(at));
        }
    }

    fn change_line(&mut self, id: LineId, change: impl FnOnce(&mut Line)) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == id) {
            change(Arc::make_mut(line));
        }
    }
}
