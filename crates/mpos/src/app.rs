//! The state of the app: what the person did, by ids. What things are and cost is the till's.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use tresen_till::{
    CheckId, GroupId, LineId, LoginOutcome, ModifierId, Money, ProductId, ReceiptNumber, StaffId, Target,
};

use crate::notice::Notice;
use crate::{Pin, TableFilter, TablesLayout};

/// Version of the saved form. Another one is not read.
const VERSION: u8 = 2;

/// Everything a screen needs to come back. PINs are not saved; notices are, because a tap that was refused may be confirmed only when the
/// person learns of it, whatever happens to the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct App {
    pub(crate) staff: Option<StaffId>,
    pub(crate) screen: Screen,
    pub(crate) filter: Option<TableFilter>,
    pub(crate) layout: TablesLayout,
    pub(crate) queue: Queue,
    pub(crate) toast: Option<Toast>,
}

impl App {
    /// An app that nobody logged in to.
    pub fn new() -> Self {
        Self::default()
    }

    /// Who is logged in.
    pub fn staff(&self) -> Option<StaffId> {
        self.staff
    }

    /// Whether a commit or the check of a PIN is in flight.
    pub fn is_waiting(&self) -> bool {
        self.queue.in_flight || matches!(self.screen, Screen::Pin(PinEntry { checking: true, .. }))
    }

    /// As bytes.
    pub fn save(&self) -> Vec<u8> {
        let bytes = postcard::to_extend(self, vec![VERSION]);
        bytes.expect("the state is made of numbers, text and lists, which can always be written")
    }

    /// What [`App::save`] wrote; `None` for anything else, also for what another version wrote. The app then wants
    /// [`crate::Message::Restored`] before anything else.
    pub fn load(bytes: &[u8]) -> Option<Self> {
        let (&version, bytes) = bytes.split_first()?;
        if version != VERSION {
            return None;
        }
        let (app, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(app)
    }
}

/// What fills the screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Screen {
    /// Who are you?
    #[default]
    People,
    /// Prove it.
    Pin(PinEntry),
    /// All tables.
    Tables,
    /// The order of a table or direct sale.
    Order(Order),
    /// Paying.
    Pay(Pay),
    /// A receipt that was just issued.
    Receipt(ReceiptNumber),
}

/// A PIN being typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PinEntry {
    pub staff: StaffId,
    #[serde(skip)]
    pub pin: Pin,
    #[serde(skip)]
    pub checking: bool,
}

/// An order being taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub target: Target,
    /// The check as it was last seen, to notice that another station closed it.
    pub check: Option<CheckId>,
    /// The group that is shown; `None`: the first.
    pub group: Option<GroupId>,
    /// The product search, when it is open.
    pub search: Option<SmolStr>,
    pub list: ListHeight,
    pub sheet: Option<Sheet>,
}

impl Order {
    pub fn new(target: Target) -> Self {
        Self { target, check: None, group: None, search: None, list: ListHeight::Low, sheet: None }
    }
}

/// How high the order list stands on a narrow screen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ListHeight {
    /// The newest lines, below the products.
    Low,
    /// The whole screen.
    Full,
}

/// What lies over the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Sheet {
    /// How many of a product, and how.
    Choice(Choice),
    /// A line.
    Line(LineEdit),
    /// How many guests.
    Guests,
}

/// A product being chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Choice {
    pub product: ProductId,
    pub chosen: Vec<ModifierId>,
    pub note: SmolStr,
    pub quantity: u32,
    /// The next digit starts a new number.
    pub fresh: bool,
    /// Whether the person tried to go on without what is required.
    pub insisted: bool,
    /// The line that it takes the place of.
    pub replaces: Option<LineId>,
}

/// A line being looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LineEdit {
    pub line: LineId,
    /// The note as typed, when it was.
    pub note: Option<SmolStr>,
}

/// A payment being prepared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pay {
    /// Where one step back leads.
    pub order: Order,
    pub check: CheckId,
    /// What the guest gives; `None`: exactly what is open.
    pub tendered: Option<Money>,
    /// The next digit starts a new amount.
    pub fresh: bool,
}

/// Bookings on their way to the ledger, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Queue {
    pub jobs: VecDeque<Job>,
    /// The oldest one was handed out and not answered yet.
    pub in_flight: bool,
}

/// A booking, by whom. It becomes commands when its turn comes, so that it can name what the one before it made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub staff: Option<StaffId>,
    pub task: Task,
}

/// What is to be booked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Task {
    Login { staff: StaffId, outcome: LoginOutcome },
    LogOut,
    Add { target: Target, choice: Choice },
    Quantity { target: Target, line: LineId, by: i32 },
    Delete { target: Target, line: LineId },
    Note { target: Target, line: LineId, note: SmolStr },
    Guests { target: Target, guests: u16 },
    Send { target: Target },
    Pay { check: CheckId, expected: Money, tendered: Money },
}

/// A notice on the screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Toast {
    pub notice: Notice,
    pub until: Timestamp,
}
