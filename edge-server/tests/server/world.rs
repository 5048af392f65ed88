//! A server with a folder of its own.

use std::net::Ipv4Addr;
use std::path::Path;

use tempfile::TempDir;
use tresen_edge::config::{Config, PortMapping, Prediction};
use tresen_edge::run::{MakeApplications, RunOptions, Server, start};
use tresen_identity::{DeviceClass, PairAnswer};
use tresen_ledger::Options;
use tresen_wire::CloseCode;

use crate::client::Native;

/// A running demo server. Dropping it forgets everything.
pub struct World {
    pub server: Server,
    pub folder: TempDir,
}

impl World {
    /// A device that is paired on the LAN.
    pub async fn paired(&self, seed: u8) -> Native {
        let (native, site) = (Native::new(seed), &self.server.site);
        let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
        let (answer, _wire) = native.pair(self.port(), &code).await;
        assert!(matches!(answer, PairAnswer::Paired { .. }));
        native
    }

    pub async fn open() -> Self {
        Self::with(None).await
    }

    pub async fn with(applications: Option<MakeApplications>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = serve(folder.path(), applications, Options::default()).await;
        Self { server, folder }
    }

    /// One that sends answers ahead, though its devices are near.
    pub async fn guessing() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { prediction: Prediction::Always, ..config(folder.path()) };
        let options = RunOptions { config, demo: true, applications: None, ledger: Options::default() };
        Self { server: start(options).await.unwrap(), folder }
    }

    /// One on a folder that asks a router for a port.
    pub async fn behind(router: Ipv4Addr, folder: TempDir) -> Self {
        let config = Config { port_mapping: PortMapping::Router(router), ..config(folder.path()) };
        let options = RunOptions { config, demo: true, applications: None, ledger: Options::default() };
        Self { server: start(options).await.unwrap(), folder }
    }

    /// A server on a folder that another one left.
    pub async fn again(folder: TempDir) -> Self {
        let server = serve(folder.path(), None, Options::default()).await;
        Self { server, folder }
    }

    /// Stops the server and starts it again on the same folder.
    pub async fn restart(self) -> Self {
        self.restart_with(Options::default()).await
    }

    pub async fn restart_with(self, options: Options) -> Self {
        let Self { server, folder } = self;
        server.finish(CloseCode::ServerStopping, "").await;
        let server = serve(folder.path(), None, options).await;
        Self { server, folder }
    }

    pub fn port(&self) -> u16 {
        self.server.port
    }
}

async fn serve(folder: &Path, applications: Option<MakeApplications>, ledger: Options) -> Server {
    start(RunOptions { config: config(folder), demo: true, applications, ledger }).await.unwrap()
}

fn config(folder: &Path) -> Config {
    Config {
        data: folder.to_owned(),
        port: 0,
        bind: vec![[127, 0, 0, 1].into()],
        mdns: false,
        ..Config::default()
    }
}
