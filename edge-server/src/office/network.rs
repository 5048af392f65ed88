//! The network page: how good the link to each device is, in words and small charts.

use std::net::SocketAddr;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use tresen_identity::Fingerprint;
use tresen_reach::{Networks, Reach};
use tresen_till::Language;

use super::Office;
use super::chart::{Bar, Chart, Point};
use super::gate::Visitor;
use super::page::{Frame, Place, draw, fragment, live_answer};
use super::texts::{Texts, put};
use super::views::{LinkAlarm, LinkCard, Measure, NetworkPage, NetworkPart};
use crate::links::{
    CELLS, Cell, Presence, Record, SLOW_MS, TROUBLE_MINUTES, TROUBLED_LOSS_PERCENT, Trouble, Way,
};
use crate::registry::{Device, DeviceKey, Snapshot};

/// Devices on the page; those with a poor link come first.
const CARDS: usize = 60;

/// Alarms on other pages.
const ALARMS_ELSEWHERE: usize = 5;

/// A chart of round trips reaches up to this at least, in ms: a good link lies low.
const LEAST_TOP_MS: f64 = 50.0;

/// … and beyond its highest value.
const HEADROOM: f64 = 1.25;

/// A chart of losses reaches up to this at least, in thousandths.
const LEAST_TOP_PERMILLE: f64 = 100.0;

/// A chart of answered taps reaches up to this at least.
const LEAST_TOP_TAPS: f64 = 10.0;

/// The whole page.
pub(crate) async fn show(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    let frame = visitor.frame(&office, Place::Network);
    let live = live_part(&office, frame.t, frame.language);
    draw(&NetworkPage { frame, live })
}

/// The part that refreshes itself.
pub(crate) async fn live(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let language = visitor.language();
    live_answer(&headers, live_part(&office, Frame::texts_of(language).0, language))
}

fn live_part(office: &Office, t: &'static Texts, language: Language) -> String {
    let snapshot = office.site.registry.snapshot();
    let teller = Teller::now(office, t, language, &snapshot);
    let mut glances = teller.glances(|glance| glance.recent);
    let all = snapshot.devices.values().filter(|device| !device.revoked).count();
    let (silent, more) = (all - glances.len(), glances.len().saturating_sub(CARDS));
    glances.truncate(CARDS);
    fragment(&NetworkPart {
        t,
        alarms: teller.alarms(&glances),
        cards: glances.iter().filter_map(|glance| teller.card(glance)).collect(),
        more: (more > 0).then(|| put(t.network_more, more)),
        silent: match silent {
            0 => None,
            1 => Some(t.network_silent_one.to_owned()),
            more => Some(put(t.network_silent, more)),
        },
    })
}

/// What is wrong with links now, for other pages.
pub(crate) fn alarms(office: &Office, t: &'static Texts, language: Language) -> Vec<LinkAlarm> {
    let snapshot = office.site.registry.snapshot();
    let teller = Teller::now(office, t, language, &snapshot);
    let mut glances = teller.glances(|glance| glance.trouble.is_some());
    glances.truncate(ALARMS_ELSEWHERE);
    teller.alarms(&glances)
}

/// A device and what a look at its link tells.
struct Glance<'a> {
    device: &'a Device,
    address: SocketAddr,
    presence: Presence,
    /// Whether there is something to show of it.
    recent: bool,
    trouble: Option<Trouble>,
}

impl Glance<'_> {
    /// Poor links come first, then those of devices that are connected.
    fn rank(&self) -> (bool, bool, &str, Fingerprint) {
        let away = self.presence == Presence::Away;
        (self.trouble.is_none(), away, &self.device.name, self.device.id)
    }
}

/// A device, what is known of its link, and what is wrong with it.
struct Seen<'a> {
    device: &'a Device,
    record: Record,
    reach: Reach,
    trouble: Option<Trouble>,
}

/// Says things in a language, at a moment.
struct Teller<'a> {
    office: &'a Office,
    t: &'static Texts,
    language: Language,
    now_ms: u64,
    snapshot: &'a Snapshot,
    networks: Networks,
}

impl<'a> Teller<'a> {
    fn now(office: &'a Office, t: &'static Texts, language: Language, snapshot: &'a Snapshot) -> Self {
        let (now_ms, networks) = (office.site.clock.now_ms(), Networks::of_this_machine());
        Self { office, t, language, now_ms, snapshot, networks }
    }

    /// The links that are wanted, in the order in which they are shown.
    fn glances(&self, wanted: impl Fn(&Glance<'_>) -> bool) -> Vec<Glance<'a>> {
        let mut glances = self.office.site.links.look_at_each(|id, record| {
            let device = self.snapshot.devices.get(&id).filter(|device| !device.revoked)?;
            let glance = Glance {
                device,
                address: record.address,
                presence: record.presence,
                recent: record.is_recent(self.now_ms),
                trouble: record.trouble(self.now_ms),
            };
            wanted(&glance).then_some(glance)
        });
        glances.sort_by(|one, other| one.rank().cmp(&other.rank()));
        glances
    }

    fn alarms(&self, glances: &[Glance<'_>]) -> Vec<LinkAlarm> {
        let alarm = |glance: &Glance<'_>| {
            Some(LinkAlarm { id: glance.device.id.short(), text: self.alarm(glance, glance.trouble?) })
        };
        glances.iter().filter_map(alarm).collect()
    }

    /// What is wrong and what to do about it.
    fn alarm(&self, glance: &Glance<'_>, trouble: Trouble) -> String {
        let t = self.t;
        let symptom = match trouble {
            Trouble::Loses { permille } => put(t.alarm_loses, self.percent(permille)),
            Trouble::Breaks { times } => put(put(t.alarm_breaks, times).as_str(), TROUBLE_MINUTES),
            Trouble::Slow { rtt_ms } => put(t.alarm_slow, milliseconds(rtt_ms)),
        };
        let advice = match self.networks.reach(glance.address.ip()) {
            Reach::Here => t.advice_here,
            Reach::Near => t.advice_near,
            Reach::Far => t.advice_far,
        };
        // The name is not put into a text: it may hold whatever it likes.
        format!("{}: {symptom}; {advice}", glance.device.name)
    }

    fn card(&self, glance: &Glance<'_>) -> Option<LinkCard> {
        let record = self.office.site.links.record(glance.device.id)?;
        let reach = self.networks.reach(record.address.ip());
        Some(self.card_of(&Seen { device: glance.device, reach, trouble: glance.trouble, record }))
    }

    fn card_of(&self, seen: &Seen<'_>) -> LinkCard {
        let (t, record) = (self.t, &seen.record);
        let hour = record.last(self.now_ms, CELLS);
        let breaks: Vec<u64> = record.breaks(self.now_ms).collect();
        let times: Vec<String> = breaks.iter().map(|at_ms| self.time(*at_ms)).collect();
        let minutes: Vec<usize> = breaks.iter().map(|at_ms| Record::minute_of(*at_ms, self.now_ms)).collect();
        let broke = (!times.is_empty()).then(|| put(t.broke_at, times.join(", ")));
        let mut measures = [self.round_trip(seen, &minutes), self.loss(seen, &minutes), self.guesses(seen)];
        if let Some(broke) = &broke {
            measures[0].words = format!("{}. {broke}", measures[0].words);
        }
        let since = self.time(record.since_ms);
        let (dot, presence) = match record.presence {
            Presence::Connected if seen.trouble.is_some() => ("slow", put(t.connected_since, since)),
            Presence::Connected => ("direct", put(t.connected_since, since)),
            Presence::Away => ("away", put(t.away_since, since)),
        };
        LinkCard {
            id: seen.device.id.short(),
            name: seen.device.name.clone(),
            station: self.station(seen.device),
            troubled: seen.trouble.is_some(),
            dot,
            presence,
            way: way(t, record.way, seen.reach, &seen.device.key),
            reach: match seen.reach {
                Reach::Here => t.reach_here,
                Reach::Near => t.reach_near,
                Reach::Far => t.reach_far,
            },
            address: address(record.address),
            sent: put(t.sent_in_an_hour, self.bytes(hour.sent_bytes)),
            broke,
            measures,
        }
    }

    fn round_trip(&self, seen: &Seen<'_>, breaks: &[usize]) -> Measure {
        let (t, minutes) = (self.t, seen.record.minutes(self.now_ms));
        let measured: Vec<&Cell> = minutes.iter().flatten().filter(|cell| cell.rtt_ms().is_some()).collect();
        let now = measured.last().and_then(|cell| cell.rtt_ms());
        let least = measured.iter().filter_map(|cell| cell.least_ms()).min();
        let most = measured.iter().filter_map(|cell| cell.rtt_ms()).max();
        let (Some(now), Some(least), Some(most)) = (now, least, most) else {
            return Measure::unknown(t.round_trip, t.no_round_trip_yet);
        };
        let mean = points(&minutes, |cell| cell.rtt_ms().map(|ms| ms as f64));
        let shortest = points(&minutes, |cell| cell.least_ms().map(|ms| ms as f64));
        let range = put(&put(t.round_trip_range, milliseconds(least)), milliseconds(most));
        let look = match (seen.trouble, seen.record.presence) {
            (Some(Trouble::Slow { .. }), _) => "late",
            (_, Presence::Away) => "muted",
            (_, Presence::Connected) => "",
        };
        Measure {
            label: t.round_trip,
            value: milliseconds(now),
            look,
            reason: None,
            words: format!("{}, {}: {}, {range}", t.round_trip, t.in_an_hour, milliseconds(now)),
            range,
            shapes: Chart::up_to(LEAST_TOP_MS.max(most as f64 * HEADROOM))
                .area(&mean)
                .line("least", &shortest)
                .limit(SLOW_MS as f64)
                .breaks(breaks)
                .finish(),
        }
    }

    fn loss(&self, seen: &Seen<'_>, breaks: &[usize]) -> Measure {
        let (t, minutes) = (self.t, seen.record.minutes(self.now_ms));
        let hour = seen.record.last(self.now_ms, CELLS);
        let Some(most) = minutes.iter().flatten().filter_map(Cell::lost_permille).max() else {
            let reason = match seen.record.way {
                Way::Direct | Way::Relayed | Way::Tunnelled => t.no_packets_yet,
                Way::WebSocket | Way::Passed => t.no_loss_seen,
            };
            return Measure::unknown(t.loss, reason);
        };
        let lately = seen.record.last(self.now_ms, TROUBLE_MINUTES).lost_permille();
        let value = lately.map_or_else(|| "–".to_owned(), |permille| self.percent(permille));
        let range = put(&put(t.loss_range, hour.packets.lost), hour.packets.sent);
        let limit = (TROUBLED_LOSS_PERCENT * 10) as f64;
        let bars = minutes.iter().enumerate().filter_map(|(minute, cell)| {
            let value = (*cell)?.lost_permille()? as f64;
            let class = if value > limit { "late" } else { "waits" };
            Some(Bar { class, minute, value, below: 0.0 })
        });
        let losing = matches!(seen.trouble, Some(Trouble::Loses { .. }));
        let at_most = put(t.at_most_a_minute, self.percent(most));
        Measure {
            label: t.loss,
            words: format!("{}, {}: {value}, {range}, {at_most}", t.loss, t.in_an_hour),
            value,
            look: if losing { "late" } else { "" },
            reason: None,
            range,
            shapes: Chart::up_to(LEAST_TOP_PERMILLE.max(most as f64))
                .bars(bars)
                .limit(limit)
                .breaks(breaks)
                .finish(),
        }
    }

    fn guesses(&self, seen: &Seen<'_>) -> Measure {
        let (t, minutes) = (self.t, seen.record.minutes(self.now_ms));
        let Cell { guesses, hits, misses, .. } = seen.record.last(self.now_ms, CELLS);
        let answered = hits + misses;
        if guesses == 0 && answered == 0 {
            return Measure::unknown(t.guesses, t.no_guesses);
        }
        let share = (hits * 1000).checked_div(answered);
        let value = share.map_or_else(|| "–".to_owned(), |permille| self.percent(permille));
        let range = put(&put(&put(t.guesses_range, hits), answered), guesses);
        let top = minutes.iter().flatten().map(|cell| cell.hits + cell.misses).max().unwrap_or(0);
        let bars = minutes.iter().enumerate().filter_map(|(minute, cell)| {
            let cell = (*cell)?;
            let (hits, misses) = (cell.hits as f64, cell.misses as f64);
            let right = Bar { class: "good", minute, value: hits, below: 0.0 };
            Some([right, Bar { class: "late", minute, value: misses, below: hits }])
        });
        Measure {
            label: t.guesses,
            words: format!("{}, {}: {value}, {range}", t.guesses, t.in_an_hour),
            value,
            look: "",
            reason: None,
            range,
            shapes: Chart::up_to(LEAST_TOP_TAPS.max(top as f64)).bars(bars.flatten()).finish(),
        }
    }

    /// The station that the device is assigned to, or was at last.
    fn station(&self, device: &Device) -> Option<String> {
        let number = device.station.or(device.last_station)?;
        let name = self.snapshot.stations.get(&number).map(|station| station.name.as_str())?;
        Some(format!("{number} · {name}"))
    }

    /// A moment of the server's clock as people at the site write it.
    fn time(&self, at_ms: u64) -> String {
        let ago = SignedDuration::from_millis(i64::try_from(self.now_ms.saturating_sub(at_ms)).unwrap_or(0));
        let now: Timestamp = self.office.site.clock.now();
        let till = self.office.site.ledger.till();
        let local = till.site().local(now.checked_sub(ago).unwrap_or(now));
        let today = local.date() == till.site().local(now).date();
        let form = match (today, self.language) {
            (true, _) => "%H:%M",
            (false, Language::De) => "%d.%m., %H:%M",
            (false, Language::En) => "%-d %b, %H:%M",
        };
        local.strftime(form).to_string()
    }

    /// A share of a thousand, in percent.
    fn percent(&self, permille: u64) -> String {
        let (whole, tenth) = (permille / 10, permille % 10);
        match (self.language, tenth) {
            (Language::De, 0) => format!("{whole}\u{a0}%"),
            (Language::En, 0) => format!("{whole}%"),
            (Language::De, tenth) => format!("{whole},{tenth}\u{a0}%"),
            (Language::En, tenth) => format!("{whole}.{tenth}%"),
        }
    }

    fn bytes(&self, bytes: u64) -> String {
        let comma = match self.language {
            Language::De => ',',
            Language::En => '.',
        };
        match bytes {
            0..1_000 => format!("{bytes} B"),
            1_000..1_000_000 => format!("{} kB", bytes / 1_000),
            more => format!("{}{comma}{} MB", more / 1_000_000, more / 100_000 % 10),
        }
    }
}

/// What can be seen of a link's way.
const fn way(t: &Texts, way: Way, reach: Reach, key: &DeviceKey) -> &'static str {
    match (way, key) {
        (Way::Direct, _) => match reach {
            Reach::Here | Reach::Near => t.way_direct,
            Reach::Far => t.way_internet,
        },
        (Way::Relayed, _) => t.way_relayed,
        (Way::Tunnelled, _) => t.way_tunnelled,
        (Way::Passed, _) => t.way_passed,
        // A native device asks for QUIC first.
        (Way::WebSocket, DeviceKey::Certificate) => t.way_fallback,
        (Way::WebSocket, DeviceKey::Browser | DeviceKey::Loopback) => t.way_browser,
    }
}

/// A time that may be too short to be measured.
fn milliseconds(ms: u64) -> String {
    if ms == 0 { "< 1\u{a0}ms".to_owned() } else { format!("{ms}\u{a0}ms") }
}

fn address(address: SocketAddr) -> String {
    tresen_path::canonical(address).to_string()
}

fn points(minutes: &[Option<Cell>; CELLS], value: impl Fn(&Cell) -> Option<f64>) -> [Point; CELLS] {
    std::array::from_fn(|minute| match &minutes[minute] {
        None => Point::Away,
        Some(cell) => value(cell).map_or(Point::Unknown, Point::At),
    })
}
