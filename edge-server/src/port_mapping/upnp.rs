//! UPnP: a port of an Internet Gateway Device, version 1 or 2.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::time::Duration;

use igd_next::aio::Gateway;
use igd_next::aio::tokio::{Tokio, search_gateway};
use igd_next::{AddPortError, PortMappingProtocol, RequestError, SearchOptions};

use super::lease::LIFETIME_S;
use super::router::Router;
use super::said::MappingError;

/// Where such devices are looked for (SSDP). The router alone is asked, not the group of all: anybody could answer there, and have his own description read.
const SSDP: u16 = 1900;

/// How long the router may take to answer and to describe itself. The search that is sent allows it three seconds for the answer alone (MX).
const PATIENCE: Duration = Duration::from_secs(5);

/// As what it stands in the router's list.
const DESCRIPTION: &str = "Tresen";

/// A port that is mapped by UPnP.
pub struct Upnp {
    gateway: Gateway<Tokio>,
    local: SocketAddr,
    external_port: NonZeroU16,
}

impl Upnp {
    /// Asks for the port of the same number, and for any if that is taken.
    ///
    /// # Errors
    /// When there is none.
    pub async fn get(router: Router, port: NonZeroU16) -> Result<Self, MappingError> {
        let gateway = find(router).await?;
        let local = SocketAddr::new(router.local.into(), port.get());
        let mut mapping = Self { gateway, local, external_port: port };
        match mapping.renew().await {
            // Another machine may have it.
            Err(MappingError::Refused(why)) => {
                let kind = PortMappingProtocol::UDP;
                let any = mapping.gateway.add_any_port(kind, local, LIFETIME_S, DESCRIPTION).await;
                let port = any.ok().and_then(NonZeroU16::new).ok_or(MappingError::Refused(why))?;
                mapping.external_port = port;
            }
            renewed => renewed?,
        }
        Ok(mapping)
    }

    /// Asks for the same port once more.
    ///
    /// # Errors
    /// When the router does not grant it.
    pub async fn renew(&mut self) -> Result<(), MappingError> {
        match self.add(LIFETIME_S).await {
            // It is given back at the end, or taken again by the next start.
            Err(AddPortError::OnlyPermanentLeasesSupported) => Ok(self.add(0).await?),
            added => Ok(added?),
        }
    }

    async fn add(&self, lifetime_s: u32) -> Result<(), AddPortError> {
        let (port, local) = (self.external_port.get(), self.local);
        self.gateway.add_port(PortMappingProtocol::UDP, port, local, lifetime_s, DESCRIPTION).await
    }

    /// Gives the port back.
    ///
    /// # Errors
    /// When the router does not take it.
    pub async fn give_back(&self) -> Result<(), MappingError> {
        let given = self.gateway.remove_port(PortMappingProtocol::UDP, self.external_port.get()).await;
        given.map_err(MappingError::refused)
    }

    /// The router's address outside.
    ///
    /// # Errors
    /// When it has none of IPv4, or does not say.
    pub async fn external_ip(&self) -> Result<Ipv4Addr, MappingError> {
        match self.gateway.get_external_ip().await {
            Ok(IpAddr::V4(ip)) => Ok(ip),
            Ok(IpAddr::V6(_)) => Err(MappingError::refused("the router has no IPv4 outside")),
            Err(error) => Err(MappingError::silent(error)),
        }
    }

    /// The port there.
    pub const fn external_port(&self) -> NonZeroU16 {
        self.external_port
    }
}

/// Finds the router's own device.
async fn find(router: Router) -> Result<Gateway<Tokio>, MappingError> {
    let mut options = SearchOptions::default();
    options.bind_addr = (router.local, 0).into();
    options.broadcast_address = (router.gateway, SSDP).into();
    options.timeout = Some(PATIENCE);
    // It may answer from another address of its own; what it says of itself has to lie at this one.
    options.allowed_gateway_ips = vec![router.gateway.into()];
    match search_gateway(options).await {
        Ok(gateway) if gateway.addr.ip() == IpAddr::V4(router.gateway) => Ok(gateway),
        Ok(gateway) => Err(MappingError::refused(format!("{} is not the router", gateway.addr))),
        Err(error) => Err(MappingError::refused(error)),
    }
}

impl From<AddPortError> for MappingError {
    fn from(error: AddPortError) -> Self {
        match &error {
            AddPortError::RequestError(RequestError::ErrorCode(..)) => Self::refused(error),
            AddPortError::RequestError(_) => Self::silent(error),
            _ => Self::refused(error),
        }
    }
}
