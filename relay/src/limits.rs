//! Limits on connects, calls and bytes: of a network, a device, a tenant, an edge server and the node.
//!
//! Connects are counted when the handshake is done, so nobody uses up what belongs to an address that he only claims to have. Bytes are counted where they are
//! forwarded, for the client that they are from or to; what is beyond is dropped, as a router does, and the ends slow down.
//!
//! Invariants: every map is bounded; an allowance that is changed counts from the next connect or packet on.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Instant;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tresen_identity::{Fingerprint, TenantId};
use tresen_path::{ClientName, EdgeName, FlowId, LimitKey};

use crate::allowances::Allowances;
use crate::known::Known;
use crate::node::lock;

/// The most that leaves the switch at once, in bytes: an allowance a second is never less.
const RUN_BYTES: u32 = 64 * 1024;

/// What somebody may do; `None`: as much as he likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Control connections a minute; of a tenant, admissions.
    pub connects_a_minute: Option<NonZeroU32>,
    /// Bytes a second in both directions, and as many at once; at least those of one batch.
    pub bytes_a_second: Option<NonZeroU32>,
}

/// The limits of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Of a network: an address (IPv4) or a /56 (IPv6).
    pub network: Rates,
    /// Of a device, or an edge server, wherever it comes from.
    pub device: Rates,
    /// Of a tenant that has none of its own.
    pub tenant: Rates,
    /// Of the node.
    pub node: Rates,
    /// Calls a minute to one edge server.
    pub calls_a_minute: NonZeroU32,
}

const fn some(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(number)
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            network: Rates { connects_a_minute: some(600), bytes_a_second: some(50_000_000) },
            device: Rates { connects_a_minute: some(60), bytes_a_second: some(5_000_000) },
            tenant: Rates { connects_a_minute: some(6_000), bytes_a_second: some(100_000_000) },
            node: Rates { connects_a_minute: some(60_000), bytes_a_second: None },
            calls_a_minute: NonZeroU32::new(600).expect("not zero"),
        }
    }
}

type Bucket = DefaultDirectRateLimiter;

/// Where a client's bytes are counted.
struct Flow {
    client: ClientName,
    device: Option<Bucket>,
    network: Option<Arc<Bucket>>,
    tenant: Arc<RwLock<Option<Bucket>>>,
}

/// Who is limited by what at a node.
pub struct Limits {
    settings: LimitSettings,
    networks: Mutex<Allowances<LimitKey>>,
    devices: Mutex<Allowances<Fingerprint>>,
    tenants: Mutex<Allowances<TenantId>>,
    node: Mutex<Allowances<()>>,
    calls: Mutex<Allowances<EdgeName>>,
    known: Mutex<Known>,
    node_bytes: Option<Bucket>,
    /// By the numbers of flows, which are small and used again.
    flows: RwLock<Vec<Option<Flow>>>,
    network_bytes: Mutex<HashMap<LimitKey, Weak<Bucket>>>,
    tenant_bytes: Mutex<HashMap<TenantId, Weak<RwLock<Option<Bucket>>>>>,
}

impl Limits {
    /// As configured.
    #[must_use]
    pub fn new(settings: LimitSettings) -> Self {
        Self {
            settings,
            networks: Mutex::default(),
            devices: Mutex::default(),
            tenants: Mutex::default(),
            node: Mutex::default(),
            calls: Mutex::default(),
            known: Mutex::default(),
            node_bytes: bucket(settings.node.bytes_a_second),
            flows: RwLock::default(),
            network_bytes: Mutex::default(),
            tenant_bytes: Mutex::default(),
        }
    }

    /// Whether a network is known to have no connect left; takes nothing, so it can be asked before a handshake.
    pub fn is_spent(&self, from: IpAddr) -> bool {
        lock(&self.networks).is_spent(&LimitKey::network(from))
    }

    /// Whether this one may connect now. This machine itself is one network without a limit; who was let in lately may, whatever strangers in its network do.
    pub fn connect(&self, from: IpAddr, who: Fingerprint) -> bool {
        let Rates { connects_a_minute, .. } = self.settings.network;
        let network = from.to_canonical().is_loopback()
            || take(&self.networks, LimitKey::network(from), connects_a_minute);
        let has_room = network && take(&self.node, (), self.settings.node.connects_a_minute);
        (has_room || lock(&self.known).has(Instant::now(), &who))
            && take(&self.devices, who, self.settings.device.connects_a_minute)
    }

    /// Somebody has proven who he is and what he may.
    pub fn let_in(&self, from: IpAddr, who: Fingerprint) {
        lock(&self.known).add(Instant::now(), who, from);
    }

    /// Whether somebody from a network was let in lately.
    pub fn knows(&self, from: IpAddr) -> bool {
        lock(&self.known).has_from(Instant::now(), from)
    }

    /// Whether one of a tenant may be let in now.
    pub fn enter(&self, tenant: TenantId, of_tenant: Rates) -> bool {
        let a_minute = of_tenant.connects_a_minute.or(self.settings.tenant.connects_a_minute);
        take(&self.tenants, tenant, a_minute)
    }

    /// Whether an edge server may be called now.
    pub fn call(&self, edge: EdgeName) -> bool {
        take(&self.calls, edge, Some(self.settings.calls_a_minute))
    }

    /// A client's bytes are counted from now on.
    pub fn admit(&self, flow: FlowId, client: &ClientName, at: IpAddr, of_tenant: Rates) {
        let tenant = client.edge.tenant;
        let network = self.settings.network.bytes_a_second.map(|rate| {
            let mut networks = lock(&self.network_bytes);
            shared(&mut networks, LimitKey::network(at), || full(rate))
        });
        let tenant = shared(&mut lock(&self.tenant_bytes), tenant, || RwLock::new(self.of_tenant(of_tenant)));
        let mut flows = self.flows.write().unwrap_or_else(PoisonError::into_inner);
        if flows.len() <= flow.0 {
            flows.resize_with(flow.0 + 1, || None);
        }
        // Who comes again goes on with what he has left.
        let device = match flows[flow.0].take() {
            Some(before) if before.client == *client => before.device,
            _ => bucket(self.settings.device.bytes_a_second),
        };
        flows[flow.0] = Some(Flow { client: *client, device, network, tenant });
    }

    /// A tenant has other limits.
    pub fn change(&self, tenant: TenantId, of_tenant: Rates) {
        if let Some(bytes) = lock(&self.tenant_bytes).get(&tenant).and_then(Weak::upgrade) {
            *bytes.write().unwrap_or_else(PoisonError::into_inner) = self.of_tenant(of_tenant);
        }
    }

    /// Whether so many bytes of a flow may be forwarded.
    pub fn forward(&self, flow: FlowId, bytes: usize) -> bool {
        let Some(bytes) = u32::try_from(bytes).ok().and_then(NonZeroU32::new) else { return true };
        let flows = self.flows.read().unwrap_or_else(PoisonError::into_inner);
        let of_flow = flows.get(flow.0).and_then(Option::as_ref).is_none_or(|flow| {
            let tenant = flow.tenant.read().unwrap_or_else(PoisonError::into_inner);
            passes(flow.device.as_ref(), bytes)
                && passes(flow.network.as_deref(), bytes)
                && passes(tenant.as_ref(), bytes)
        });
        of_flow && passes(self.node_bytes.as_ref(), bytes)
    }

    fn of_tenant(&self, of_tenant: Rates) -> Option<Bucket> {
        bucket(of_tenant.bytes_a_second.or(self.settings.tenant.bytes_a_second))
    }
}

fn take<K: Copy + Eq + std::hash::Hash>(
    allowances: &Mutex<Allowances<K>>,
    key: K,
    a_minute: Option<NonZeroU32>,
) -> bool {
    a_minute.is_none_or(|a_minute| lock(allowances).take(key, a_minute))
}

fn bucket(a_second: Option<NonZeroU32>) -> Option<Bucket> {
    a_second.map(full)
}

fn full(a_second: NonZeroU32) -> Bucket {
    let run = NonZeroU32::new(RUN_BYTES).expect("not zero");
    RateLimiter::direct(Quota::per_second(a_second).allow_burst(a_second.max(run)))
}

fn passes(bucket: Option<&Bucket>, bytes: NonZeroU32) -> bool {
    bucket.is_none_or(|bucket| matches!(bucket.check_n(bytes), Ok(Ok(()))))
}

/// The one of this key, shared by all whose bytes are counted there; those that nobody uses any more are forgotten.
fn shared<K: Eq + std::hash::Hash, T>(
    all: &mut HashMap<K, Weak<T>>,
    key: K,
    new: impl FnOnce() -> T,
) -> Arc<T> {
    if let Some(there) = all.get(&key).and_then(Weak::upgrade) {
        return there;
    }
    if all.len() == all.capacity() {
        all.retain(|_, there| there.strong_count() > 0);
    }
    let new = Arc::new(new());
    all.insert(key, Arc::downgrade(&new));
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(tenant: u8, device: u8) -> ClientName {
        let edge =
            EdgeName { tenant: TenantId::from_bytes([tenant; 16]), edge: Fingerprint::from_bytes([1; 32]) };
        ClientName { edge, device: Fingerprint::from_bytes([device; 32]) }
    }

    fn v4(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }

    fn settings() -> LimitSettings {
        let none = Rates::default();
        LimitSettings { network: none, device: none, tenant: none, node: none, ..LimitSettings::default() }
    }

    fn rates(connects: u32, bytes: u32) -> Rates {
        Rates { connects_a_minute: some(connects), bytes_a_second: some(bytes) }
    }

    /// How many batches of 60,000 bytes pass at once.
    fn passing(limits: &Limits, flow: usize) -> usize {
        (0..1_000).take_while(|_| limits.forward(FlowId(flow), 60_000)).count()
    }

    /// Promise: a network, a device and the node have their allowance of connects; this machine's own network is not slowed down, its devices are.
    #[test]
    fn connects_are_limited() {
        let who = |number: u8| Fingerprint::from_bytes([number; 32]);
        let limits = Limits::new(LimitSettings { network: rates(3, 1), ..settings() });
        assert_eq!([1, 2, 3, 4].map(|number| limits.connect(v4(1), who(number))), [true, true, true, false]);
        assert!(limits.is_spent(v4(1)) && !limits.is_spent(v4(2)));
        assert!(limits.connect(v4(2), who(1)));
        assert!((0..9).all(|number| limits.connect(IpAddr::from([127, 0, 0, 1]), who(number))));
        let v6 = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, last, 0, 0, 0, last]);
        assert_eq!([1, 2, 3, 4].map(|last| limits.connect(v6(last), who(1))), [true, true, true, false]);
        let limits = Limits::new(LimitSettings { device: rates(2, 1), ..settings() });
        assert_eq!([1, 2, 3].map(|last| limits.connect(v4(last), who(1))), [true, true, false]);
        let limits = Limits::new(LimitSettings { node: rates(2, 1), ..settings() });
        assert_eq!([1, 2, 3].map(|last| limits.connect(v4(last), who(last))), [true, true, false]);
    }

    /// Promise: strangers in a network don't use up what boxes and devices need that were let in lately; these have their own allowance, and it ends as others' do.
    #[test]
    fn strangers_use_up_nothing_of_those_who_are_known() {
        let who = |number: u8| Fingerprint::from_bytes([number; 32]);
        let limits = Limits::new(LimitSettings {
            network: rates(3, 1),
            device: rates(2, 1),
            node: rates(4, 1),
            ..settings()
        });
        limits.let_in(v4(1), who(9));
        assert!(limits.knows(v4(1)) && !limits.knows(v4(2)));
        assert_eq!([1, 2, 3, 4].map(|number| limits.connect(v4(1), who(number))), [true, true, true, false]);
        assert_eq!([(); 3].map(|()| limits.connect(v4(1), who(9))), [true, true, false]);
        limits.let_in(v4(2), who(8));
        assert!(limits.connect(v4(2), who(5)) && !limits.connect(v4(2), who(6)), "the node has no more");
        assert!(limits.connect(v4(2), who(8)));
    }

    /// Promise: a device that is admitted again has what was left to it, and another one on the same flow has its own.
    #[test]
    fn who_is_admitted_again_gets_no_more_bytes() {
        let limits = Limits::new(LimitSettings { device: rates(1, 300_000), ..settings() });
        let admit = |device| limits.admit(FlowId(0), &client(1, device), v4(1), Rates::default());
        admit(1);
        assert_eq!(passing(&limits, 0), 5);
        admit(1);
        assert_eq!(passing(&limits, 0), 0);
        admit(2);
        assert_eq!(passing(&limits, 0), 5);
    }

    /// Promise: bytes are limited for each device, network, tenant and the node, and not those of others.
    #[test]
    fn bytes_are_limited() {
        let two_flows = |settings: LimitSettings, first: (u8, u8, u8), second: (u8, u8, u8)| {
            let limits = Limits::new(settings);
            for (flow, (tenant, device, at)) in [first, second].into_iter().enumerate() {
                limits.admit(FlowId(flow), &client(tenant, device), v4(at), Rates::default());
            }
            [passing(&limits, 0), passing(&limits, 1)]
        };
        let few = rates(1, 300_000);
        let of = |settings| two_flows(settings, (1, 1, 1), (2, 2, 2));
        assert_eq!(of(LimitSettings { device: few, ..settings() }), [5, 5]);
        assert_eq!(of(LimitSettings { network: few, ..settings() }), [5, 5]);
        assert_eq!(of(LimitSettings { tenant: few, ..settings() }), [5, 5]);
        assert_eq!(of(LimitSettings { node: few, ..settings() }), [5, 0]);
        assert_eq!(two_flows(LimitSettings { network: few, ..settings() }, (1, 1, 1), (2, 2, 1)), [5, 0]);
        assert_eq!(two_flows(LimitSettings { tenant: few, ..settings() }, (1, 1, 1), (1, 2, 2)), [5, 0]);
    }

    /// Promise: a tenant's limits can be changed while its devices are here, for what it sends and for who comes.
    #[test]
    fn a_tenant_has_limits_of_its_own() {
        let limits = Limits::new(LimitSettings { tenant: rates(2, 300_000), ..settings() });
        let tenant = TenantId::from_bytes([1; 16]);
        limits.admit(FlowId(7), &client(1, 1), v4(1), Rates::default());
        assert_eq!(passing(&limits, 7), 5);
        limits.change(tenant, rates(3, 600_000));
        assert_eq!(passing(&limits, 7), 10);
        assert_eq!([(); 3].map(|()| limits.enter(tenant, Rates::default())), [true, true, false]);
        assert_eq!([(); 4].map(|()| limits.enter(tenant, rates(3, 1))), [true, true, true, false]);
    }
}
