//! How TLS is passed on, as the command line says it.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use clap::Args;
use tokio::net::TcpListener;
use tresen_identity::PublicPlace;

use crate::cli::Failure;
use crate::node::Running;
use crate::places::PassLimits;

/// See the module.
#[derive(Args)]
pub struct PassArguments {
    /// Where browsers come in, TCP, for example 0.0.0.0:443; without it no TLS is passed on.
    #[arg(long, value_name = "ADDRESS", requires = "domain")]
    tls: Option<SocketAddr>,
    /// The domain below which each edge server has a name; all names below it have to lead here.
    #[arg(long, value_name = "NAME", requires = "tls")]
    domain: Option<String>,
    /// The port that browsers come to, where something before this machine maps it.
    #[arg(long, value_name = "PORT", requires = "tls")]
    public_port: Option<u16>,
    /// Where the relay's other nodes reach --tls, when that is neither its address nor that port of --public; may be named more than once. A browser that
    /// comes to a node where its box is not is handed over there.
    #[arg(long, value_name = "ADDRESS", requires = "tls")]
    tls_for_nodes: Vec<SocketAddr>,
    /// How many TLS streams there are at a time: those that are passed on, and tunnels of endpoints without UDP.
    #[arg(long, default_value_t = PassLimits::default().node)]
    passes: usize,
    /// How many are passed on to one edge server.
    #[arg(long, default_value_t = PassLimits::default().edge)]
    passes_of_edge: usize,
    /// How many of them from one network.
    #[arg(long, default_value_t = PassLimits::default().network)]
    passes_of_network: usize,
    /// TLS connects a minute from one network.
    #[arg(long, default_value_t = PassLimits::default().connects_a_minute)]
    tls_connects_a_minute: NonZeroU32,
}

impl PassArguments {
    /// How many streams the node takes.
    pub const fn limits(&self) -> PassLimits {
        PassLimits {
            node: self.passes,
            edge: self.passes_of_edge,
            network: self.passes_of_network,
            connects_a_minute: self.tls_connects_a_minute,
        }
    }

    /// Whether TLS is passed on at this port.
    pub fn are_at(&self, port: u16) -> bool {
        self.tls.is_some_and(|tls| tls.port() == port)
    }

    /// Begins to pass TLS on, if it was asked for: what to say about it.
    ///
    /// # Errors
    /// When the address is taken, or not one of this machine, or the domain is none.
    pub async fn begin(&self, running: &Running) -> Result<Option<String>, Failure> {
        let (Some(tls), Some(domain)) = (self.tls, &self.domain) else { return Ok(None) };
        let listen = |error| Failure::Listen(tls, error);
        let listener = TcpListener::bind(tls).await.map_err(listen)?;
        let bound = listener.local_addr().map_err(listen)?;
        let port = self.public_port.unwrap_or_else(|| bound.port());
        let place =
            PublicPlace::new(domain, port).map_err(|_| Failure::Domain(format!("{domain}:{port}")))?;
        let said = format!("{bound}, for names below {domain}");
        running.pass(listener, place);
        if !self.tls_for_nodes.is_empty() {
            running.take_handovers(&self.tls_for_nodes);
        }
        Ok(Some(said))
    }
}
