//! The components of the kit. Each is a builder that becomes an element.

mod amount;
mod button;
mod chip;
mod choice;
mod field;
mod header;
mod key;
mod list_row;
mod paper;
mod person;
mod table_tile;
mod text;
mod tile;
mod toast;

pub use amount::{Amount, Doubt, amount};
pub use button::{Button, IconButton, button, icon_button, stepper};
pub use chip::{Chip, chip, chips};
pub use choice::{Choice, choice};
pub use field::{Field, field};
pub use header::{Header, header};
pub use key::{Key, key, keypad};
pub use list_row::{ListRow, RowLook, list_row};
pub use paper::{Paper, PaperAlign, PaperLine, PaperStyle, paper};
pub use person::{Avatar, Badge, IconPart, PinDots, avatar, badge, icon, pin_dots};
pub use table_tile::{TableLook, TableTile, table_tile};
pub use text::{Text, TextAlign, text};
pub use tile::{Picture, TILE_HEIGHT, Tile, photo_height, photo_tile_height, tile};
pub use toast::{Toast, Tone, toast};

/// Makes a builder an element, its inputs all of its fields.
macro_rules! component {
    ($($part:ident),*) => {$(
        impl From<$part> for crate::ui::Element {
            fn from(part: $part) -> Self {
                Self::part(part)
            }
        }
    )*};
}
pub(crate) use component;

/// The footprint of a component that is as high in every space, and as wide as it likes or has room for ([`Space::clamp`](crate::ui::Space::clamp)).
macro_rules! rigid {
    () => {
        fn footprint(&self, kit: &crate::ui::Kit, out: &mut crate::ui::Inputs) {
            for space in [crate::ui::Space::Least, crate::ui::Space::Most] {
                std::hash::Hash::hash(&self.measure(kit, space), out);
            }
        }
    };
}
pub(crate) use rigid;

/// Writes a component's name and fields as its inputs.
macro_rules! inputs_of {
    ($name:literal) => {
        fn inputs(&self, inputs: &mut crate::ui::Inputs) {
            std::hash::Hash::hash($name, inputs);
            std::hash::Hash::hash(self, inputs);
        }
    };
}
pub(crate) use inputs_of;
