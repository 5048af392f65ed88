//! A port that a router maps, whichever of the three protocols it speaks. They are tried in the order of how exact their answers are: PCP, NAT-PMP, UPnP.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU16;
use std::time::Duration;

use crab_nat::pcp::BaseMapRequest;
use crab_nat::{
    InternetProtocol, MappingFailure, PortMapping, PortMappingOptions, PortMappingType, TimeoutConfig,
    natpmp, pcp,
};
use tokio::time::Instant;

use super::router::Router;
use super::said::MappingError;
use super::upnp::Upnp;

/// The time that is asked for: a router that starts anew forgets, and is asked again after half of it.
pub const LIFETIME_S: u32 = 1_200;

/// From one request to the next at least (RFC 6887, 11.2.1).
pub const LEAST: Duration = Duration::from_secs(4);

/// A router that grants a port for less, has none: it would have to be asked all the time.
const LEAST_LIFETIME_S: u32 = 30;

/// A request to the router is repeated after this, then after twice as long.
const PATIENCE: TimeoutConfig =
    TimeoutConfig { initial_timeout: Duration::from_millis(250), max_retries: 2, max_retry_timeout: None };

/// A port of a router that leads to this server.
pub struct Lease {
    router: Router,
    kind: Kind,
    external: SocketAddrV4,
    until: Instant,
}

enum Kind {
    /// PCP or NAT-PMP.
    Mapping(Box<PortMapping>),
    Upnp(Box<Upnp>),
}

impl Lease {
    /// Asks a router for a way to a port of this machine. By the nonce it knows whose mapping it is: who was killed has the same one again.
    ///
    /// # Errors
    /// With what it answered to each of the protocols, or did not.
    pub async fn get(router: Router, port: NonZeroU16, nonce: pcp::Nonce) -> Result<Self, MappingError> {
        let (gateway, options) = (router.gateway.into(), options(port));
        let request = BaseMapRequest::new(gateway, router.local.into(), InternetProtocol::Udp, port);
        let by_pcp = match pcp::port_mapping(request, Some(nonce), None, options).await {
            Ok(mapping) => return Self::new(router, Kind::Mapping(Box::new(mapping))).await,
            Err(error) => error,
        };
        let by_nat_pmp = match natpmp::port_mapping(gateway, InternetProtocol::Udp, port, options).await {
            Ok(mapping) => return Self::new(router, Kind::Mapping(Box::new(mapping))).await,
            Err(error) => error,
        };
        match Upnp::get(router, port).await {
            Ok(mapping) => Self::new(router, Kind::Upnp(Box::new(mapping))).await,
            Err(error) => {
                Err(MappingError::refused(format!("UPnP: {error}. PCP: {by_pcp}. NAT-PMP: {by_nat_pmp}")))
            }
        }
    }

    async fn new(router: Router, kind: Kind) -> Result<Self, MappingError> {
        let granted = async {
            let ip = kind.external_ip().await?;
            kind.granted(ip)
        };
        match granted.await {
            Ok((external, lifetime)) => Ok(Self { router, kind, external, until: Instant::now() + lifetime }),
            Err(error) => {
                let _ = kind.give_back().await;
                Err(error)
            }
        }
    }

    /// Asks for the same once more; the router may grant another port.
    ///
    /// # Errors
    /// When it does not.
    pub async fn renew(&mut self) -> Result<(), MappingError> {
        match &mut self.kind {
            Kind::Mapping(mapping) => **mapping = again(mapping).await?,
            Kind::Upnp(mapping) => mapping.renew().await?,
        }
        let ip = match self.kind.external_ip().await {
            // The port is granted, and may be another one; the address is most likely the one that it was.
            Err(MappingError::Silent(_)) => *self.external.ip(),
            ip => ip?,
        };
        let (external, lifetime) = self.kind.granted(ip)?;
        (self.external, self.until) = (external, Instant::now() + lifetime);
        Ok(())
    }

    /// Gives it back; may be dropped and called again.
    ///
    /// # Errors
    /// When the router does not take it.
    pub async fn give_back(&self) -> Result<(), MappingError> {
        self.kind.give_back().await
    }

    /// Where this server is reached from outside.
    pub const fn external(&self) -> SocketAddrV4 {
        self.external
    }

    /// When to ask for it once more.
    pub fn renew_at(&self) -> Instant {
        Instant::now() + (self.left() / 2).max(LEAST)
    }

    /// For how long still, unless it is renewed.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Whether this router has granted it.
    pub fn is_from(&self, router: Router) -> bool {
        self.router == router
    }

    /// By what the router was asked.
    pub fn protocol(&self) -> &'static str {
        match &self.kind {
            Kind::Mapping(mapping) => match mapping.mapping_type() {
                PortMappingType::NatPmp => "NAT-PMP",
                PortMappingType::Pcp { .. } => "PCP",
            },
            Kind::Upnp(_) => "UPnP",
        }
    }
}

impl Kind {
    async fn give_back(&self) -> Result<(), MappingError> {
        match self {
            Self::Mapping(mapping) => mapping.clone().try_drop().await.map_err(|(error, _)| error.into()),
            Self::Upnp(mapping) => mapping.give_back().await,
        }
    }

    /// The router's address outside; some have to be asked.
    async fn external_ip(&self) -> Result<Ipv4Addr, MappingError> {
        match self {
            Self::Mapping(mapping) => match mapping.mapping_type() {
                PortMappingType::Pcp { external_ip: IpAddr::V4(ip), .. } => Ok(ip),
                PortMappingType::Pcp { external_ip: IpAddr::V6(_), .. } => Err(nowhere()),
                PortMappingType::NatPmp => {
                    let asked = natpmp::external_address(mapping.gateway(), Some(PATIENCE)).await;
                    Ok(asked.map_err(MappingFailure::from)?)
                }
            },
            Self::Upnp(mapping) => mapping.external_ip().await,
        }
    }

    /// What a router with this address has granted, and for how long.
    fn granted(&self, ip: Ipv4Addr) -> Result<(SocketAddrV4, Duration), MappingError> {
        let (port, lifetime_s) = match self {
            Self::Mapping(mapping) => (mapping.external_port(), mapping.lifetime()),
            Self::Upnp(mapping) => (mapping.external_port(), LIFETIME_S),
        };
        if !is_public(ip) {
            return Err(nowhere());
        }
        if lifetime_s < LEAST_LIFETIME_S {
            return Err(MappingError::refused(format!("the router grants it for {lifetime_s} s only")));
        }
        // Longer than asked for means nothing good.
        let lifetime = Duration::from_secs(lifetime_s.min(LIFETIME_S).into());
        Ok((SocketAddrV4::new(ip, port.get()), lifetime))
    }
}

/// Gives back what a router may have granted without being heard: by PCP and NAT-PMP, which need to know nothing of it.
pub async fn give_back_unheard(router: Router, port: NonZeroU16, nonce: pcp::Nonce) {
    let (gateway, protocol, patience) = (router.gateway.into(), InternetProtocol::Udp, Some(PATIENCE));
    let range = pcp::DropMappingRange::Single { internal_port: port, protocol };
    let _ = tokio::join!(
        pcp::try_drop_mapping(gateway, router.local.into(), nonce, range, patience),
        natpmp::try_drop_mapping(gateway, protocol, Some(port), patience),
    );
}

fn nowhere() -> MappingError {
    MappingError::refused("the router has no address outside")
}

/// Whether others can reach an address at all: behind two routers, the outer one's network is nobody else's (RFC 6890).
const fn is_public(ip: Ipv4Addr) -> bool {
    let is_shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
    !(ip.is_unspecified()
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || is_shared
        || ip.octets()[0] >= 224)
}

impl From<MappingFailure> for MappingError {
    fn from(failure: MappingFailure) -> Self {
        use natpmp::Failure as NatPmp;
        use pcp::Failure as Pcp;
        match &failure {
            MappingFailure::NatPmp(NatPmp::Timeout | NatPmp::Socket(_))
            | MappingFailure::Pcp(Pcp::Timeout | Pcp::Socket(_)) => Self::silent(failure),
            // It can't just now: what it has granted holds.
            MappingFailure::Pcp(Pcp::NetworkFailure(_) | Pcp::NoResources(_)) => Self::silent(failure),
            MappingFailure::NatPmp(_) | MappingFailure::Pcp(_) => Self::refused(failure),
        }
    }
}

/// The same mapping once more, for the whole time, whatever was granted before.
async fn again(mapping: &PortMapping) -> Result<PortMapping, MappingFailure> {
    let (gateway, port) = (mapping.gateway(), mapping.internal_port());
    let options = options(mapping.external_port());
    Ok(match mapping.mapping_type() {
        PortMappingType::Pcp { client, nonce, external_ip } => {
            let request = BaseMapRequest::new(gateway, client, InternetProtocol::Udp, port);
            pcp::port_mapping(request, Some(nonce), Some(external_ip), options).await?
        }
        PortMappingType::NatPmp => {
            natpmp::port_mapping(gateway, InternetProtocol::Udp, port, options).await?
        }
    })
}

fn options(port: NonZeroU16) -> PortMappingOptions {
    PortMappingOptions {
        external_port: Some(port),
        lifetime_seconds: Some(LIFETIME_S),
        timeout_config: Some(PATIENCE),
    }
}
