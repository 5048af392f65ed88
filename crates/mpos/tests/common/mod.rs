//! A whole till around an app, in memory: what the edge server does with effects, without disks and threads.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod evening;
pub mod screen;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tresen_mpos::{App, Commit, Effect, Message, NoPhotos, Photos, PinOutcome, Tap, World, update};
use tresen_till::{
    Check, Command, Context, Event, Language, Manage, ModifierId, Money, PhotoId, PinHash, ProductId,
    ReceiptNumber, Refusal, Site, StaffId, StationId, TableId, Target, Till, demo,
};

/// The station of the app under test.
pub const STATION: StationId = StationId(11);
/// Another station.
pub const OTHER_STATION: StationId = StationId(12);

pub const COLA: ProductId = ProductId(101);
pub const HELLES: ProductId = ProductId(201);
pub const RUMPSTEAK: ProductId = ProductId(301);
pub const MEDIUM: ModifierId = ModifierId(103);
pub const POTATOES: ModifierId = ModifierId(201);
pub const FRIES: ModifierId = ModifierId(204);

/// Anna, at a table.
pub fn at_table(table: u32) -> House {
    let mut house = House::anna();
    house.tap(Tap::Table(TableId(table)));
    house
}

pub fn cents(minor: i64) -> Money {
    Money::from_minor(minor)
}

/// The Gasthaus Linde with an app.
#[derive(Clone)]
pub struct House {
    pub till: Till,
    pub app: App,
    pub now: Timestamp,
    pub language: Language,
    pub printed: Vec<ReceiptNumber>,
    /// Who was logged out, as the journal says.
    pub log_outs: Vec<StaffId>,
    /// While it is held, commits wait in `held`.
    pub hold: bool,
    pub held: Vec<Commit>,
    pub photos: Album,
}

impl House {
    pub fn new() -> Self {
        let mut till = Till::empty(Site::default());
        let now: Timestamp = "2026-11-24T18:40:00Z".parse().expect("a timestamp");
        let commands: Vec<Command> =
            demo::gasthaus_linde(|pin| PinHash::new(pin.into())).into_iter().map(Command::Manage).collect();
        let context = Context { staff: None, station: STATION, device: "setup".into(), at: now };
        till = till.decide_all(&context, &commands).expect("the demo is consistent").0;
        Self {
            till,
            app: App::new(),
            now,
            language: Language::De,
            printed: Vec::new(),
            log_outs: Vec::new(),
            hold: false,
            held: Vec::new(),
            photos: Album::default(),
        }
    }

    pub fn world(&self) -> World<'_> {
        World {
            till: &self.till,
            now: self.now,
            station: STATION,
            station_name: "Station 11",
            device: "device",
            language: self.language,
            photos: &self.photos,
        }
    }

    /// Lets the app hear something and does what it wants done.
    pub fn say(&mut self, message: Message) {
        let world =
            World { till: &self.till, now: self.now, photos: &self.photos, ..world_of(self.language) };
        let effects = update(&mut self.app, &world, message);
        for effect in effects {
            self.run(effect);
        }
    }

    pub fn tap(&mut self, tap: Tap) {
        self.say(Message::Tap(tap));
    }

    pub fn taps(&mut self, taps: impl IntoIterator<Item = Tap>) {
        taps.into_iter().for_each(|tap| self.tap(tap));
    }

    /// Commits what was held, oldest first, and everything that follows.
    pub fn release(&mut self) {
        self.hold = false;
        for commit in std::mem::take(&mut self.held) {
            self.commit(&commit);
        }
    }

    /// The server is killed and started again: what was in flight is on disk, the app is as it was saved last.
    pub fn kill(&mut self) {
        let saved = self.app.save();
        for commit in std::mem::take(&mut self.held) {
            let _ = self.decide(commit.staff, STATION, &commit.commands);
        }
        self.hold = false;
        self.app = App::load(&saved).expect("saved by this version");
        self.say(Message::Restored);
    }

    fn run(&mut self, effect: Effect) {
        match effect {
            Effect::Commit(commit) if self.hold => self.held.push(commit),
            Effect::Commit(commit) => self.commit(&commit),
            Effect::VerifyPin { staff, pin } => {
                let hash = self.till.staff_member(staff).map(|staff| staff.pin_hash.reveal().to_owned());
                let right = hash == Some(pin.expose());
                self.say(Message::Pin(if right { PinOutcome::Right } else { PinOutcome::Wrong }));
            }
            Effect::Reprint(number) => self.printed.push(number),
        }
    }

    fn commit(&mut self, commit: &Commit) {
        let result = self.decide(commit.staff, STATION, &commit.commands);
        self.say(Message::Committed(result));
    }

    fn decide(
        &mut self,
        staff: Option<StaffId>,
        station: StationId,
        commands: &[Command],
    ) -> Result<(), Refusal> {
        let context = Context { staff, station, device: "device".into(), at: self.now };
        let (till, events) = self.till.decide_all(&context, commands)?;
        self.till = till;
        self.log_outs.extend(events.iter().filter_map(|event| match event {
            Event::LoggedOut { staff, .. } => Some(*staff),
            _ => None,
        }));
        Ok(())
    }

    /// Somebody does something at another station.
    pub fn elsewhere(&mut self, staff: StaffId, command: Command) {
        self.decide(Some(staff), OTHER_STATION, &[command]).expect("the other station's command is fine");
        self.say(Message::Changed);
    }

    /// The owner changes something in the back office.
    pub fn manage(&mut self, change: Manage) {
        self.elsewhere(demo::OLGA, Command::Manage(change));
    }

    /// The owner gives a product a photo.
    pub fn show(&mut self, product: u32, number: u8, picture: Vec<u8>) {
        let photo = PhotoId([number; 32]);
        self.photos.0.insert(photo, picture.into());
        self.manage(Manage::SetPhoto { product: ProductId(product), photo: Some(photo) });
    }

    pub fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub fn type_pin(&mut self, staff: StaffId, pin: &str) {
        self.tap(Tap::Person(staff));
        self.taps(pin.bytes().map(|digit| Tap::Digit(digit - b'0')));
    }

    /// Logged in as Anna.
    pub fn anna() -> Self {
        let mut house = Self::new();
        house.type_pin(demo::ANNA, "1234");
        assert_eq!(house.app.staff(), Some(demo::ANNA));
        house
    }

    pub fn check(&self, table: u32) -> Option<&Check> {
        self.till.open_check(&Target::Table(TableId(table)))
    }

    pub fn total(&self, table: u32) -> Money {
        self.check(table).map_or(Money::ZERO, Check::total)
    }
}

fn world_of(language: Language) -> World<'static> {
    static EMPTY: std::sync::LazyLock<Till> = std::sync::LazyLock::new(|| Till::empty(Site::default()));
    World {
        till: &EMPTY,
        now: Timestamp::UNIX_EPOCH,
        station: STATION,
        station_name: "Station 11",
        device: "device",
        language,
        photos: &NoPhotos,
    }
}

/// Pictures as a server keeps them.
#[derive(Clone, Default)]
pub struct Album(BTreeMap<PhotoId, Arc<[u8]>>);

impl Photos for Album {
    fn photo(&self, id: PhotoId) -> Option<Arc<[u8]>> {
        self.0.get(&id).cloned()
    }
}
