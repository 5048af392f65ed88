//! Ordering: lines, notes, guests, sending.

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::{
    Check, CheckId, Context, Event, Line, LineId, LineModifier, ModifierId, Money, Permission, PreparationId,
    Product, ProductId, Refusal, Service, Staff, Target, Ticket, TicketId, TicketLine, Till, limits,
};

impl Till {
    pub(super) fn add_line(
        &self,
        context: &Context,
        target: Target,
        product: ProductId,
        quantity: u32,
        modifiers: &[ModifierId],
        note: &SmolStr,
    ) -> Result<Vec<Event>, Refusal> {
        let staff = self.permitted(context, Permission::Order)?;
        let product = self.catalog.product(product).ok_or(Refusal::NoSuchProduct)?;
        if !product.available {
            return Err(Refusal::SoldOut);
        }
        check_quantity(quantity)?;
        check_note(note)?;
        let modifiers = self.chosen(product, modifiers)?;
        let (id, check, mut events) = self.open_or_opening(context, target, staff.id)?;
        let mut line = self.new_line(context, staff, product, modifiers);
        line.quantity = quantity;
        line.note = note.clone();
        let twin = check.and_then(|check| check.lines.iter().find(|known| known.is_joined_by(&line)));
        if let Some(twin) = twin {
            check_quantity(twin.quantity + quantity)?;
            let by = i32::try_from(quantity).map_err(|_| Refusal::QuantityOutOfRange)?;
            events.push(Event::QuantityChanged {
                check: id,
                line: twin.id,
                by,
                at: context.at,
                staff: staff.id,
            });
            return Ok(events);
        }
        if let Some(check) = check {
            if check.lines.len() >= limits::CHECK_LINES {
                return Err(Refusal::CheckFull);
            }
            line.id = LineId(check.next_line);
        }
        events.push(Event::LineAdded { check: id, line });
        Ok(events)
    }

    fn new_line(
        &self,
        context: &Context,
        staff: &Staff,
        product: &Product,
        modifiers: Vec<LineModifier>,
    ) -> Line {
        let today = self.site.local(context.at).date();
        Line {
            id: LineId(1),
            product: product.id,
            name: product.name.clone(),
            quantity: 1,
            unit_price: product.price + modifiers.iter().map(|modifier| modifier.price).sum::<Money>(),
            modifiers,
            note: SmolStr::default(),
            sent_at: None,
            by: staff.id,
            added_at: context.at,
            tax: product.tax,
            rate: self.site.country.rate(product.tax, Service::EatIn, today),
        }
    }

    /// The answers in the order of the questions.
    fn chosen(&self, product: &Product, given: &[ModifierId]) -> Result<Vec<LineModifier>, Refusal> {
        if given.len() > limits::LINE_MODIFIERS {
            return Err(Refusal::WrongModifier);
        }
        let mut chosen = Vec::with_capacity(given.len());
        for group in self.catalog.questions(product) {
            let before = chosen.len();
            let answers = group.modifiers.iter().filter(|modifier| given.contains(&modifier.id));
            chosen.extend(answers.map(|modifier| LineModifier {
                id: modifier.id,
                name: modifier.name.clone(),
                price: modifier.price,
            }));
            let count = chosen.len() - before;
            if count < usize::from(group.min) {
                return Err(Refusal::ModifierMissing(group.id));
            }
            if count > usize::from(group.max) {
                return Err(Refusal::TooManyModifiers(group.id));
            }
        }
        if chosen.len() == given.len() { Ok(chosen) } else { Err(Refusal::WrongModifier) }
    }

    pub(super) fn change_quantity(
        &self,
        context: &Context,
        check: CheckId,
        line: LineId,
        by: i32,
    ) -> Result<Vec<Event>, Refusal> {
        let staff = self.permitted(context, Permission::Order)?;
        let (known, unsent) = self.unsent_line(check, line)?;
        let quantity = i64::from(unsent.quantity) + i64::from(by);
        if quantity <= 0 {
            return Ok(deletion(context, staff, known, line));
        }
        check_quantity(u32::try_from(quantity).map_err(|_| Refusal::QuantityOutOfRange)?)?;
        if by == 0 {
            return Ok(Vec::new());
        }
        Ok(vec![Event::QuantityChanged { check, line, by, at: context.at, staff: staff.id }])
    }

    pub(super) fn delete_line(
        &self,
        context: &Context,
        check: CheckId,
        line: LineId,
    ) -> Result<Vec<Event>, Refusal> {
        let staff = self.permitted(context, Permission::Order)?;
        let (known, _) = self.unsent_line(check, line)?;
        Ok(deletion(context, staff, known, line))
    }

    pub(super) fn set_note(
        &self,
        context: &Context,
        check: CheckId,
        line: LineId,
        note: &SmolStr,
    ) -> Result<Vec<Event>, Refusal> {
        let staff = self.permitted(context, Permission::Order)?;
        self.unsent_line(check, line)?;
        check_note(note)?;
        Ok(vec![Event::NoteSet { check, line, note: note.clone(), at: context.at, staff: staff.id }])
    }

    pub(super) fn set_guests(
        &self,
        context: &Context,
        target: Target,
        guests: u16,
    ) -> Result<Vec<Event>, Refusal> {
        let staff = self.permitted(context, Permission::Order)?;
        if guests > limits::GUESTS {
            return Err(Refusal::TooManyGuests);
        }
        match self.open_check(&target) {
            None if guests == 0 => return Ok(Vec::new()),
            Some(check) if guests == 0 && check.lines.is_empty() => {
                return Ok(vec![discard(context, staff, check)]);
            }
            Some(_) | None => {}
        }
        let (check, _, mut events) = self.open_or_opening(context, target, staff.id)?;
        events.push(Event::GuestsSet { check, guests, at: context.at, by: staff.id });
        Ok(events)
    }

    pub(super) fn send(&self, context: &Context, check: CheckId) -> Result<Vec<Event>, Refusal> {
        let staff = self.permitted(context, Permission::Order)?;
        let check = self.known_check(check)?;
        self.sending(context, staff, check).map(|event| vec![event]).ok_or(Refusal::NothingToSend)
    }

    /// The event that sends what was not sent yet; `None` when everything was.
    pub(super) fn sending(&self, context: &Context, staff: &Staff, check: &Check) -> Option<Event> {
        let lines: Vec<LineId> = check.unsent().map(|line| line.id).collect();
        if lines.is_empty() {
            return None;
        }
        let mut by_preparation: BTreeMap<PreparationId, Vec<TicketLine>> = BTreeMap::new();
        for line in check.unsent() {
            let preparation = self.catalog.product(line.product).and_then(|product| product.preparation);
            if let Some(preparation) = preparation {
                by_preparation.entry(preparation).or_default().push(ticket_line(line));
            }
        }
        let tickets = by_preparation.into_iter().enumerate().map(|(index, (preparation, lines))| {
            let name = self.catalog.preparation(preparation).map(|known| known.name.clone());
            Arc::new(Ticket {
                id: TicketId(self.next_ticket + index as u64),
                check: check.id,
                table: self.table_name(check.place),
                preparation,
                preparation_name: name.unwrap_or_default(),
                at: context.at,
                staff_name: staff.name.clone(),
                guests: check.guests,
                lines,
            })
        });
        let tickets = tickets.collect();
        Some(Event::LinesSent { check: check.id, lines, tickets, at: context.at, staff: staff.id })
    }
}

fn ticket_line(line: &Line) -> TicketLine {
    TicketLine {
        quantity: line.quantity,
        name: line.name.clone(),
        modifiers: line.modifiers.iter().map(|modifier| modifier.name.clone()).collect(),
        note: line.note.clone(),
    }
}

/// Deletes a line; a check that nothing speaks for any more is closed, so that its table is free.
fn deletion(context: &Context, staff: &Staff, check: &Check, line: LineId) -> Vec<Event> {
    let mut events = vec![Event::LineDeleted { check: check.id, line, at: context.at, staff: staff.id }];
    if check.lines.len() == 1 && check.guests == 0 {
        events.push(discard(context, staff, check));
    }
    events
}

fn discard(context: &Context, staff: &Staff, check: &Check) -> Event {
    Event::CheckDiscarded { check: check.id, at: context.at, staff: staff.id }
}

fn check_quantity(quantity: u32) -> Result<(), Refusal> {
    if (1..=limits::QUANTITY).contains(&quantity) { Ok(()) } else { Err(Refusal::QuantityOutOfRange) }
}

fn check_note(note: &str) -> Result<(), Refusal> {
    if note.len() <= limits::NOTE_BYTES { Ok(()) } else { Err(Refusal::TextOutOfRange) }
}
