//! All instances, and who sits where.
//!
//! A device works at the station that the owner assigned it to; a device that is assigned nowhere takes the first free station of its class,
//! and goes back to where it was when it can. A seat stays kept for a while after a device left without a goodbye, also across a restart
//! of the server: who walked through a dead spot finds his screen where it was.
//!
//! Invariant: [`Hub::claim`] is the only way to a seat, and decides under one lock.

mod seats;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tresen_wire::CloseCode;

use crate::instance::link::Leaving;
use crate::instance::{Handle, Surroundings};
use crate::registry::{Device, Snapshot, Station};
use seats::Seats;

/// The instances of a running server.
pub struct Hub {
    surroundings: Arc<Surroundings>,
    inner: Mutex<Inner>,
    /// Counts changes of who sits where.
    changes: watch::Sender<u64>,
}

struct Inner {
    instances: BTreeMap<u16, (Station, Handle)>,
    seats: Seats,
}

/// A place at a station, held by a connection until it is dropped.
pub struct Seat {
    hub: Arc<Hub>,
    /// The station.
    pub station: u16,
    /// Its instance.
    pub handle: Handle,
    ticket: u64,
    /// How the device left; decides how long the seat is kept for it.
    pub leaving: Leaving,
}

impl Hub {
    /// A hub without instances; [`Hub::follow`] starts them.
    #[must_use]
    pub fn new(surroundings: Arc<Surroundings>) -> Self {
        let inner = Mutex::new(Inner { instances: BTreeMap::new(), seats: Seats::default() });
        Self { surroundings, inner, changes: watch::channel(0).0 }
    }

    /// Starts and stops instances, so that one runs for every station with a seat.
    pub async fn follow(&self, snapshot: &Snapshot) {
        let (gone, renamed) = {
            let mut inner = self.lock();
            let seated = |number: &u16| snapshot.stations.get(number).is_some_and(|station| station.seated);
            let gone_numbers: Vec<u16> =
                inner.instances.keys().copied().filter(|number| !seated(number)).collect();
            let gone: Vec<Handle> = gone_numbers
                .iter()
                .filter_map(|number| inner.instances.remove(number))
                .map(|(_, handle)| handle)
                .collect();
            let mut renamed = Vec::new();
            for station in snapshot.seated() {
                match inner.instances.get_mut(&station.number) {
                    None => {
                        let handle = Handle::start(self.surroundings.clone(), station);
                        inner.instances.insert(station.number, (station.clone(), handle));
                    }
                    Some((known, handle)) if known != station => {
                        *known = station.clone();
                        renamed.push((handle.clone(), station.name.clone()));
                    }
                    Some(_) => {}
                }
            }
            (gone, renamed)
        };
        for handle in gone {
            handle.stop(CloseCode::NoSeat, "").await;
        }
        for (handle, name) in renamed {
            handle.rename(name).await;
        }
        self.tell();
    }

    /// Keeps the seats of the devices that sat there when the server was stopped.
    pub fn keep_last_seats(&self, snapshot: &Snapshot, now_ms: u64) {
        self.lock().seats.keep_last(snapshot, now_ms);
    }

    /// Ends all instances, with a goodbye to everybody.
    pub async fn stop(&self, code: CloseCode, text: &'static str) {
        let instances = std::mem::take(&mut self.lock().instances);
        let all = instances.into_values().map(|(_, handle)| async move { handle.stop(code, text).await });
        futures_util::future::join_all(all).await;
    }

    /// A seat for a device, if there is one. Whoever sits at the station that the device is assigned to is replaced.
    #[must_use]
    pub fn claim(self: &Arc<Self>, snapshot: &Snapshot, device: &Device, now_ms: u64) -> Option<Seat> {
        let mut inner = self.lock();
        let Inner { instances, seats } = &mut *inner;
        let (station, ticket) =
            seats.claim(snapshot, device, now_ms, |number| instances.contains_key(&number))?;
        let handle = instances.get(&station)?.1.clone();
        drop(inner);
        self.tell();
        Some(Seat { hub: self.clone(), station, handle, ticket, leaving: Leaving::Lost })
    }

    /// Whether [`Hub::claim`] would find a seat; keeps it for the device for a moment if so.
    #[must_use]
    pub fn reserve(&self, snapshot: &Snapshot, device: &Device, now_ms: u64) -> bool {
        let mut inner = self.lock();
        let Inner { instances, seats } = &mut *inner;
        seats.reserve(snapshot, device, now_ms, |number| instances.contains_key(&number))
    }

    /// All instances, by station.
    #[must_use]
    pub fn instances(&self) -> Vec<(Station, Handle)> {
        self.lock().instances.values().cloned().collect()
    }

    /// The instance of a station.
    #[must_use]
    pub fn instance(&self, station: u16) -> Option<Handle> {
        self.lock().instances.get(&station).map(|(_, handle)| handle.clone())
    }

    /// Tells when somebody came or left.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn tell(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let now_ms = self.hub.surroundings.clock.now_ms();
        self.hub.lock().seats.leave(self.station, self.ticket, self.leaving, now_ms);
        self.hub.tell();
    }
}
