//! An evening at the Gasthaus Linde: open tables of both waiters, some waiting, some late.

use tresen_till::{Command, ModifierId, ProductId, StaffId, TableId, Target, demo};

use super::House;

/// Lines as (quantity, product, modifiers).
type Lines<'a> = &'a [(u32, u32, &'a [u32])];

impl House {
    /// Several tables are open; nobody is logged in.
    pub fn evening() -> Self {
        let mut house = Self::new();
        house.order(demo::ANNA, 4, 2, &[(1, 301, &[103, 204]), (1, 501, &[303]), (2, 201, &[])]);
        house.send(demo::ANNA, 4);
        house.pass(9 * 60);
        house.order(demo::BEN, 8, 8, &[(4, 202, &[]), (2, 302, &[201]), (1, 307, &[]), (3, 101, &[])]);
        house.send(demo::BEN, 8);
        house.pass(14 * 60);
        house.order(demo::BEN, 24, 4, &[(2, 901, &[]), (2, 803, &[])]);
        house.send(demo::BEN, 24);
        house.order(demo::ANNA, 11, 0, &[(2, 801, &[]), (1, 602, &[])]);
        house.send(demo::ANNA, 11);
        house.pass(7 * 60);
        house.order(demo::ANNA, 2, 3, &[(2, 309, &[]), (1, 106, &[])]);
        house.send(demo::ANNA, 2);
        house.pass(5 * 60);
        house.order(demo::ANNA, 6, 2, &[(2, 205, &[]), (1, 404, &[])]);
        house.order(demo::BEN, 32, 1, &[(1, 905, &[])]);
        house.send(demo::BEN, 32);
        house.pass(2 * 60 + 20);
        house
    }

    pub fn order(&mut self, staff: StaffId, table: u32, guests: u16, lines: Lines) {
        let target = Target::Table(TableId(table));
        if guests > 0 {
            self.elsewhere(staff, Command::SetGuests { target, guests });
        }
        for (quantity, product, modifiers) in lines {
            let modifiers = modifiers.iter().map(|id| ModifierId(*id)).collect();
            let product = ProductId(*product);
            let note = Default::default();
            self.elsewhere(staff, Command::AddLine { target, product, quantity: *quantity, modifiers, note });
        }
    }

    pub fn send(&mut self, staff: StaffId, table: u32) {
        let check = self.check(table).expect("the table is open").id;
        self.elsewhere(staff, Command::Send { check });
    }
}
