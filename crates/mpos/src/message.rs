//! What the app hears: taps, text, scans, keys, and what became of its effects.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use tresen_scene::Action;
use tresen_till::{
    AreaId, GroupId, LineId, ModifierId, Money, ProductId, ReceiptNumber, Refusal, StaffId, TableId,
};

/// What a touch area, a field or a scroll area of this app means: the content of its [`Action`].
///
/// Amounts that the person saw travel in the tap, so that a payment is always about the amount on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tap {
    /// One step back: closes a sheet, or leaves a screen.
    Back,
    /// Puts the notice away.
    Dismiss,
    /// A digit of the keypad that is shown.
    Digit(u8),
    /// Two zeros at once.
    DoubleZero,
    /// Takes the last digit back.
    Erase,
    /// A person who wants to log in.
    Person(StaffId),
    /// Logs the person out.
    LogOut,
    /// Shows these tables.
    Filter(TableFilter),
    /// Shows the tables this way.
    Layout(TablesLayout),
    /// Opens a table.
    Table(TableId),
    /// Opens the direct sale of this station.
    Direct,
    /// Shows a product group.
    Group(GroupId),
    /// Adds a product, or asks for what it requires.
    Product(ProductId),
    /// Asks how many of a product, and how.
    ProductDetails(ProductId),
    /// Opens the product search.
    Search,
    /// The text of the product search.
    SearchText,
    /// Pulls the order up to full height, or down.
    PullList,
    /// Opens a line of the order.
    Line(LineId),
    /// Sends what is new.
    Send,
    /// Goes on to payment.
    ToPay,
    /// Asks for the number of guests.
    Guests,
    /// Sets the number of guests.
    GuestCount(u16),
    /// Chooses or takes back a modifier.
    Modifier(ModifierId),
    /// One more, in the sheet that is open.
    More,
    /// One fewer, in the sheet that is open.
    Less,
    /// The text of the note in the sheet that is open.
    NoteText,
    /// Takes over what the sheet says.
    Accept,
    /// The same once more.
    Repeat,
    /// Deletes the line.
    Delete,
    /// Changes the modifiers of the line.
    Options,
    /// Cash that the guest gives.
    Tender(Money),
    /// Pays in cash.
    PayCash {
        /// The open amount on the screen.
        expected: Money,
        /// What the guest gave.
        tendered: Money,
    },
    /// Prints the receipt again.
    Reprint,
    /// Leaves the receipt.
    Done,
}

/// The identity of a scroll area. Another part of it is another content, which starts at its top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScrollArea {
    /// Staff.
    People,
    /// Tables.
    Tables(TableFilter, TablesLayout),
    /// Tabs of product groups.
    Tabs,
    /// Products of a group.
    Products(GroupId),
    /// Products that were found.
    Found,
    /// Lines of the order.
    Lines,
    /// A sheet.
    Sheet,
    /// A receipt.
    Receipt(ReceiptNumber),
}

/// Which tables are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TableFilter {
    /// All of them; where the screen is wide.
    All,
    /// Those of an area.
    Area(AreaId),
    /// Those that the person opened.
    Mine,
}

/// How tables are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TablesLayout {
    /// In rows.
    #[default]
    Grid,
    /// Where they stand.
    Plan,
}

/// A key of a hardware keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// 0 to 9.
    Digit(u8),
    /// Takes the last digit back.
    Backspace,
    /// The action that most likely comes next.
    Enter,
    /// One step back.
    Back,
}

/// What became of a PIN that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinOutcome {
    /// It is the person's PIN.
    Right,
    /// It is not.
    Wrong,
}

/// What the app hears.
#[derive(Clone, Debug)]
pub enum Message {
    /// A tap or a long press.
    Tap(Tap),
    /// The text of a field, after a change.
    Text(Tap, SmolStr),
    /// A code from a scanner or a camera.
    Scan(SmolStr),
    /// A key.
    Key(Key),
    /// The commit in flight is on disk and part of the world's till, or was refused.
    Committed(Result<(), Refusal>),
    /// The commit in flight failed: nothing was written. The reason is shown.
    Failed(Failure),
    /// The PIN was checked.
    Pin(PinOutcome),
    /// The till changed, by whomever.
    Changed,
    /// The app was loaded from what it saved: the commit that is in flight in it is on disk.
    Restored,
    /// Another device took the station: nobody is logged in there until somebody proves who they are.
    OtherDevice,
    /// What the person tapped last on this device may not have been taken.
    InputsLost,
}

/// Why a booking could not be written. The log has what only a technician understands of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The disk is full, or failed.
    Disk,
    /// Too much was to be written at once.
    Busy,
    /// The ledger knows a later state of this station.
    Outdated,
    /// A fault of ours.
    Fault,
}

impl Tap {
    /// As the content of a touch area.
    pub fn action(&self) -> Action {
        action_of(self)
    }

    /// What an action means; `None` for bytes that no version of this app made.
    pub fn of(action: &Action) -> Option<Self> {
        let (tap, rest) = postcard::take_from_bytes(action.bytes()).ok()?;
        rest.is_empty().then_some(tap)
    }
}

impl ScrollArea {
    /// As the identity of a list.
    pub fn action(&self) -> Action {
        action_of(self)
    }
}

fn action_of(what: &impl Serialize) -> Action {
    let mut bytes = [0; tresen_scene::limits::ACTION_BYTES];
    let used = postcard::to_slice(what, &mut bytes).expect("the longest tap and list fit into an action");
    Action::new(used)
}

impl Message {
    /// What a tap or long press on a touch area means; `None` for bytes that this app never made.
    pub fn tap(action: &Action) -> Option<Self> {
        Tap::of(action).map(Self::Tap)
    }

    /// What new text in a field means; `None` for bytes that this app never made.
    pub fn text(action: &Action, text: SmolStr) -> Option<Self> {
        Tap::of(action).map(|tap| Self::Text(tap, text))
    }
}
