//! Ids: one newtype each, so that a table can't be taken for a product.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )*};
}

id! {
    /// A product of the catalogue.
    ProductId(u32);
    /// A group of products, a tab on the order screen.
    GroupId(u32);
    /// A group of modifiers, a question about a product.
    ModifierGroupId(u32);
    /// A modifier, one answer. Unique over all groups.
    ModifierId(u32);
    /// Where products are made: kitchen, bar.
    PreparationId(u16);
    /// A part of the floor.
    AreaId(u16);
    /// A table. Its number for guests is its name.
    TableId(u32);
    /// A person who works here.
    StaffId(u32);
    /// A check, unique over the life of the site.
    CheckId(u64);
    /// A line, unique within its check.
    LineId(u64);
    /// A receipt: 1, 2, 3 and so on without gaps.
    ReceiptNumber(u64);
    /// A preparation ticket, unique over the life of the site.
    TicketId(u64);
    /// A till position.
    StationId(u16);
}
