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

/// A PIN as hashed by the server (a PHC string). The till only keeps it; its content has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinHash(String);

impl PinHash {
    /// Keeps a hash.
    pub fn new(phc: String) -> PinHash {
        PinHash(phc)
    }

    /// The hash, for the one who verifies PINs.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PinHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PinHash(..)")
    }
}
