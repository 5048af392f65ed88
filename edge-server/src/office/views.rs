//! What each page shows, as plain data beside its template. Handlers fill these in; nothing here knows the server.

use askama::Template;

use super::page::Frame;
use super::texts::Texts;

#[derive(Template)]
#[template(path = "office/login.html")]
pub(crate) struct LoginPage {
    pub(crate) frame: Frame,
    pub(crate) owners: Vec<OwnerChoice>,
    pub(crate) wrong: Option<String>,
}

pub(crate) struct OwnerChoice {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) chosen: bool,
}

#[derive(Template)]
#[template(path = "office/setup.html")]
pub(crate) struct SetupPage {
    pub(crate) frame: Frame,
    pub(crate) site: String,
    pub(crate) name: String,
    pub(crate) wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "office/message.html")]
pub(crate) struct MessagePage {
    pub(crate) frame: Frame,
    pub(crate) heading: String,
    pub(crate) hint: String,
}

#[derive(Template)]
#[template(path = "office/overview.html")]
pub(crate) struct OverviewPage {
    pub(crate) frame: Frame,
    /// A drawn [`LivePart`].
    pub(crate) live: String,
}

/// The part of the overview that refreshes itself.
#[derive(Template)]
#[template(path = "office/live.html")]
pub(crate) struct LivePart {
    pub(crate) t: &'static Texts,
    pub(crate) running: usize,
    pub(crate) of_all: String,
    pub(crate) attached: usize,
    pub(crate) open_checks: usize,
    pub(crate) open_total: String,
    pub(crate) today_total: String,
    /// Poor links.
    pub(crate) alarms: Vec<LinkAlarm>,
    pub(crate) cards: Vec<InstanceCard>,
}

pub(crate) struct InstanceCard {
    pub(crate) number: u16,
    pub(crate) name: String,
    pub(crate) icon: &'static str,
    pub(crate) status: String,
    pub(crate) status_look: &'static str,
    pub(crate) troubled: bool,
    pub(crate) picture: Option<String>,
    pub(crate) picture_label: String,
    pub(crate) picture_w: i32,
    pub(crate) picture_h: i32,
    pub(crate) person: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) link: Option<LinkView>,
}

pub(crate) struct LinkView {
    /// The class of its dot.
    pub(crate) look: &'static str,
    pub(crate) text: String,
}

#[derive(Template)]
#[template(path = "office/stations.html")]
pub(crate) struct StationsPage {
    pub(crate) frame: Frame,
    pub(crate) rows: Vec<StationRow>,
}

pub(crate) struct StationRow {
    pub(crate) number: u16,
    pub(crate) name: String,
    pub(crate) class: &'static str,
    /// Whether the licence has a seat for it.
    pub(crate) seated: bool,
    pub(crate) devices: String,
}

#[derive(Template)]
#[template(path = "office/station.html")]
pub(crate) struct StationPage {
    pub(crate) frame: Frame,
    pub(crate) number: u16,
    pub(crate) name: String,
    pub(crate) class: &'static str,
    pub(crate) wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "office/devices.html")]
pub(crate) struct DevicesPage {
    pub(crate) frame: Frame,
    pub(crate) rows: Vec<DeviceRow>,
    pub(crate) revoked: Vec<DeviceRow>,
}

pub(crate) struct DeviceRow {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether nobody has looked at it since it was paired.
    pub(crate) fresh: bool,
    /// The beginning of its key's name.
    pub(crate) key: String,
    pub(crate) class: &'static str,
    pub(crate) station: Option<String>,
    pub(crate) online: bool,
    pub(crate) last_seen: Option<String>,
    /// Asked before it is revoked or removed.
    pub(crate) question: String,
}

#[derive(Template)]
#[template(path = "office/device.html")]
pub(crate) struct DevicePage {
    pub(crate) frame: Frame,
    /// A drawn [`DeviceFields`].
    pub(crate) fields: String,
    pub(crate) class: &'static str,
    pub(crate) paired_at: String,
    pub(crate) last_seen: Option<String>,
    pub(crate) key: String,
}

/// Name and station of a device.
#[derive(Template)]
#[template(path = "office/device_form.html")]
pub(crate) struct DeviceFields {
    pub(crate) t: &'static Texts,
    pub(crate) csrf: String,
    pub(crate) form: DeviceForm,
}

pub(crate) struct DeviceForm {
    pub(crate) id: String,
    pub(crate) name: String,
    /// What the device calls itself.
    pub(crate) suggestion: String,
    pub(crate) wrong: Option<String>,
    pub(crate) stations: Vec<StationChoice>,
}

pub(crate) struct StationChoice {
    pub(crate) number: u16,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

#[derive(Template)]
#[template(path = "office/network.html")]
pub(crate) struct NetworkPage {
    pub(crate) frame: Frame,
    /// A drawn [`NetworkPart`].
    pub(crate) live: String,
}

/// The part of the network page that refreshes itself.
#[derive(Template)]
#[template(path = "office/network_live.html")]
pub(crate) struct NetworkPart {
    pub(crate) t: &'static Texts,
    pub(crate) alarms: Vec<LinkAlarm>,
    pub(crate) cards: Vec<LinkCard>,
    /// How many have no place on the page.
    pub(crate) more: Option<String>,
    /// How many were not connected lately.
    pub(crate) silent: Option<String>,
}

/// A poor link.
pub(crate) struct LinkAlarm {
    /// Which card.
    pub(crate) id: String,
    pub(crate) text: String,
}

pub(crate) struct LinkCard {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) station: Option<String>,
    pub(crate) troubled: bool,
    /// The class of its dot.
    pub(crate) dot: &'static str,
    pub(crate) presence: String,
    pub(crate) way: &'static str,
    pub(crate) reach: &'static str,
    pub(crate) address: String,
    pub(crate) sent: String,
    pub(crate) broke: Option<String>,
    pub(crate) measures: [Measure; 3],
}

/// Something that is measured, with its chart.
pub(crate) struct Measure {
    pub(crate) label: &'static str,
    /// What it is now.
    pub(crate) value: String,
    /// `late` when it is poor.
    pub(crate) look: &'static str,
    /// Why nothing is known.
    pub(crate) reason: Option<&'static str>,
    /// What it was in the last hour.
    pub(crate) range: String,
    /// What the chart says, in words.
    pub(crate) words: String,
    /// Shapes of an SVG.
    pub(crate) shapes: String,
}

impl Measure {
    /// One of which nothing is known.
    pub(crate) fn unknown(label: &'static str, reason: &'static str) -> Self {
        let (value, look) = ("–".to_owned(), "muted");
        let (range, words, shapes) = Default::default();
        Self { label, value, look, reason: Some(reason), range, words, shapes }
    }
}

#[derive(Template)]
#[template(path = "office/pair.html")]
pub(crate) struct PairPage {
    pub(crate) frame: Frame,
    pub(crate) shown: Option<ShownCode>,
}

pub(crate) struct ShownCode {
    /// An SVG.
    pub(crate) qr: String,
    pub(crate) text: String,
    /// For browsers on other networks.
    pub(crate) link: Option<String>,
    /// A drawn [`PairStatePart`].
    pub(crate) state: String,
}

/// The part of the pairing page that refreshes itself.
#[derive(Template)]
#[template(path = "office/pair_state.html")]
pub(crate) struct PairStatePart {
    pub(crate) t: &'static Texts,
    pub(crate) state: PairState,
}

pub(crate) enum PairState {
    /// Nobody came yet.
    Waiting {
        /// How long the code is good.
        left: String,
    },
    /// Nobody came in time.
    Over,
}

#[derive(Template)]
#[template(path = "office/licence.html")]
pub(crate) struct LicencePage {
    pub(crate) frame: Frame,
    pub(crate) seats: Vec<SeatView>,
    pub(crate) title: String,
    pub(crate) status: String,
    pub(crate) status_look: &'static str,
    pub(crate) note: Option<String>,
    pub(crate) facts: Vec<Fact>,
}

pub(crate) struct SeatView {
    pub(crate) class: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) used: usize,
    pub(crate) all: usize,
    pub(crate) free: usize,
    pub(crate) of: String,
    pub(crate) used_text: String,
    pub(crate) free_text: String,
}

impl SeatView {
    /// What a bar of nothing is measured against.
    pub(crate) fn max(&self) -> usize {
        self.all.max(1)
    }
}

pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    /// Whether it is a key or a number to compare letter by letter.
    pub(crate) mono: bool,
}

#[derive(Template)]
#[template(path = "office/staff.html")]
pub(crate) struct StaffPage {
    pub(crate) frame: Frame,
    pub(crate) rows: Vec<StaffRow>,
    /// Who left.
    pub(crate) former: Vec<StaffRow>,
}

pub(crate) struct StaffRow {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) initial: String,
    pub(crate) role: &'static str,
    pub(crate) me: bool,
}

#[derive(Template)]
#[template(path = "office/person.html")]
pub(crate) struct PersonPage {
    pub(crate) frame: Frame,
    pub(crate) heading: &'static str,
    pub(crate) action: String,
    /// `None` for a new person.
    pub(crate) id: Option<u32>,
    pub(crate) name: String,
    /// `waiter`, `manager` or `owner`.
    pub(crate) role: &'static str,
    pub(crate) wrong_name: Option<String>,
    pub(crate) wrong_pin: Option<String>,
    pub(crate) wrong_password: Option<String>,
    pub(crate) remove_question: String,
}

#[derive(Template)]
#[template(path = "office/catalogue.html")]
pub(crate) struct CataloguePage {
    pub(crate) frame: Frame,
    pub(crate) groups: Vec<CatalogueGroup>,
}

pub(crate) struct CatalogueGroup {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) with_photo: String,
    pub(crate) rows: Vec<ProductRow>,
}

pub(crate) struct ProductRow {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) price: String,
    pub(crate) tax: String,
    pub(crate) available: bool,
    /// The address of its photo.
    pub(crate) photo: Option<String>,
}

#[derive(Template)]
#[template(path = "office/product.html")]
pub(crate) struct ProductPage {
    pub(crate) frame: Frame,
    pub(crate) id: u32,
    pub(crate) heading: String,
    pub(crate) about: String,
    /// The address of its photo.
    pub(crate) photo: Option<String>,
    pub(crate) photo_limits: String,
    pub(crate) remove_question: String,
    pub(crate) name: String,
    pub(crate) price: String,
    pub(crate) available: bool,
    pub(crate) wrong_name: Option<String>,
    pub(crate) wrong_price: Option<String>,
}
