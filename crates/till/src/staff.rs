//! Who works here, and what each may do.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::StaffId;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// Id.
    pub id: StaffId,
    /// Name on screens and receipts.
    pub name: SmolStr,
    /// What the person may do.
    pub role: Role,
    /// The hash of the PIN.
    pub pin_hash: PinHash,
}

/// A role, with the permissions of the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Takes orders and money.
    Waiter,
    /// Sees the back office too.
    Manager,
    /// May change everything.
    Owner,
}

/// Something that needs permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Permission {
    /// Open checks, add and change lines, send.
    Order,
    /// Take cash and print receipts.
    TakeCash,
    /// Look into the back office.
    ViewOffice,
    /// Change catalogue, floor, staff and site.
    ManageSite,
}

impl Role {
    /// Whether the role has a permission.
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Order | Permission::TakeCash => true,
            Permission::ViewOffice => matches!(self, Role::Manager | Role::Owner),
            Permission::ManageSite => matches!(self, Role::Owner),
        }
    }
}

/// A PIN as hashed by the server (a PHC string), and how many digits it has, so that a keypad knows the last one. The till
/// only keeps it; its content has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinHash {
    phc: String,
    digits: u8,
}

impl PinHash {
    /// Digits of a PIN, unless it is told otherwise.
    pub const DIGITS: u8 = 4;

    /// Keeps the hash of a PIN of [`PinHash::DIGITS`].
    pub fn new(phc: String) -> PinHash {
        PinHash { phc, digits: PinHash::DIGITS }
    }

    /// The same for a PIN of so many digits.
    pub fn with_digits(self, digits: usize) -> PinHash {
        PinHash { digits: u8::try_from(digits).unwrap_or(u8::MAX), ..self }
    }

    /// How many digits the PIN has.
    pub fn digits(&self) -> usize {
        usize::from(self.digits)
    }

    /// The hash, for the one who verifies PINs.
    pub fn reveal(&self) -> &str {
        &self.phc
    }
}

impl std::fmt::Debug for PinHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PinHash(..)")
    }
}
