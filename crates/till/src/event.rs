//! What happened. Events are what the journal keeps.
//!
//! Encoding: one byte of version (1), then a postcard sequence of events. Variants and fields are only ever appended as new
//! variants; a change of an old one needs a new version byte and a decoder for the old.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    Area, AreaId, CheckId, Group, GroupId, Line, LineId, LoginOutcome, ModifierGroup, ModifierGroupId,
    PhotoId, Place, Preparation, PreparationId, Product, ProductId, Receipt, Site, Staff, StaffId, StationId,
    Table, TableId, Ticket,
};

/// Version byte of encoded events.
const VERSION: u8 = 1;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The site changed.
    SitePut(Site),
    /// A person was added or changed.
    StaffPut(Staff),
    /// A person left.
    StaffRemoved(StaffId),
    /// An area was added or changed.
    AreaPut(Area),
    /// An area was removed.
    AreaRemoved(AreaId),
    /// A table was added or changed.
    TablePut(Table),
    /// A table was removed.
    TableRemoved(TableId),
    /// A place of preparation was added or changed.
    PreparationPut(Preparation),
    /// A place of preparation was removed.
    PreparationRemoved(PreparationId),
    /// A group was added or changed.
    GroupPut(Group),
    /// A group was removed.
    GroupRemoved(GroupId),
    /// A modifier group was added or changed.
    ModifierGroupPut(ModifierGroup),
    /// A modifier group was removed.
    ModifierGroupRemoved(ModifierGroupId),
    /// A product was added or changed.
    ProductPut(Product),
    /// A product was removed.
    ProductRemoved(ProductId),
    /// Somebody tried to log in.
    LoginRecorded {
        /// Who.
        staff: StaffId,
        /// On which device.
        device: SmolStr,
        /// At which station.
        station: StationId,
        /// When.
        at: Timestamp,
        /// How it went.
        outcome: LoginOutcome,
    },
    /// Somebody logged out.
    LoggedOut {
        /// Who.
        staff: StaffId,
        /// At which station.
        station: StationId,
        /// When.
        at: Timestamp,
    },
    /// A check was opened.
    CheckOpened {
        /// Its id.
        check: CheckId,
        /// Where.
        place: Place,
        /// When.
        at: Timestamp,
        /// By whom.
        by: StaffId,
    },
    /// The number of guests was set.
    GuestsSet {
        /// The check.
        check: CheckId,
        /// How many.
        guests: u16,
        /// When.
        at: Timestamp,
        /// By whom.
        by: StaffId,
    },
    /// A line was added.
    LineAdded {
        /// The check.
        check: CheckId,
        /// The line.
        line: Line,
    },
    /// The quantity of a line changed.
    QuantityChanged {
        /// The check.
        check: CheckId,
        /// The line.
        line: LineId,
        /// The difference; what remains is at least 1.
        by: i32,
        /// When.
        at: Timestamp,
        /// Who did it.
        staff: StaffId,
    },
    /// A line was deleted before it was sent.
    LineDeleted {
        /// The check.
        check: CheckId,
        /// The line.
        line: LineId,
        /// When.
        at: Timestamp,
        /// Who did it.
        staff: StaffId,
    },
    /// The note of a line was replaced.
    NoteSet {
        /// The check.
        check: CheckId,
        /// The line.
        line: LineId,
        /// The note.
        note: SmolStr,
        /// When.
        at: Timestamp,
        /// Who did it.
        staff: StaffId,
    },
    /// Lines went to where they are made.
    LinesSent {
        /// The check.
        check: CheckId,
        /// The lines.
        lines: Vec<LineId>,
        /// One ticket per place of preparation.
        tickets: Vec<Arc<Ticket>>,
        /// When.
        at: Timestamp,
        /// Who did it.
        staff: StaffId,
    },
    /// A check was paid; its receipt was issued and it is closed.
    CheckPaid {
        /// The receipt; it names the check.
        receipt: Arc<Receipt>,
    },
    /// A check without lines was closed.
    CheckDiscarded {
        /// The check.
        check: CheckId,
        /// When.
        at: Timestamp,
        /// Who did it.
        staff: StaffId,
    },
    /// A product got another photo, or has none any more.
    PhotoSet {
        /// The product.
        product: ProductId,
        /// Its photo from now on.
        photo: Option<PhotoId>,
    },
}

/// Bytes that are no events.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer version of Tresen.
    #[error("version {0} of events or snapshots is newer than this program")]
    Version(u8),
    /// Damaged.
    #[error("not a well-formed encoding")]
    Malformed,
}

/// Encodes what was decided together.
pub fn encode_events(events: &[Event]) -> Vec<u8> {
    encode_versioned(VERSION, events)
}

/// Decodes what [`encode_events`] made.
///
/// # Errors
/// When the bytes are from a newer version or damaged.
pub fn decode_events(bytes: &[u8]) -> Result<Vec<Event>, DecodeError> {
    decode_versioned(VERSION, bytes)
}

pub(crate) fn encode_versioned<T: Serialize + ?Sized>(version: u8, value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![version]).expect("encoding into memory can't fail")
}

pub(crate) fn decode_versioned<'a, T: Deserialize<'a>>(
    version: u8,
    bytes: &'a [u8],
) -> Result<T, DecodeError> {
    match bytes.split_first() {
        Some((first, rest)) if *first == version => match postcard::take_from_bytes(rest) {
            Ok((value, [])) => Ok(value),
            Ok(_) | Err(_) => Err(DecodeError::Malformed),
        },
        Some((first, _)) if *first > version => Err(DecodeError::Version(*first)),
        Some(_) | None => Err(DecodeError::Malformed),
    }
}
