//! Our own node: the real program with a box and a device that are known there.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use tempfile::TempDir;
use tresen_identity::{Admission, Fingerprint, KeyPair, Secret, TenantId, TokenId};
use tresen_path::{FromNode, Grant, ToNode};
use tresen_reach::Control;
use tresen_relay::Directory;

use super::stream::{Socket, Stream};
use super::{Core, PACKET_BYTES, Program};

/// Boxes of a tenant: each was enrolled once, and a tenant may have so many open enrolments.
const BOXES: u64 = 60;

/// Room for everybody, and no limits on connects and bytes.
const LIMITS: [&str; 20] = [
    "--edges",
    "200000",
    "--clients",
    "200000",
    "--clients-of-edge",
    "200000",
    "--connects-a-minute",
    "0",
    "--bytes-a-second",
    "0",
    "--device-connects-a-minute",
    "0",
    "--device-bytes-a-second",
    "0",
    "--tenant-connects-a-minute",
    "0",
    "--tenant-bytes-a-second",
    "0",
    "--node-connects-a-minute",
    "0",
];

/// See the module.
pub struct Node {
    pub program: Program,
    pub at: SocketAddr,
    pub name: Fingerprint,
    _data: TempDir,
}

/// Whose a box is.
pub fn tenant_of(number: u64) -> TenantId {
    TenantId::from_bytes(u128::from(number / BOXES).to_le_bytes())
}

/// The key of box or device number `number`.
pub fn key(number: u64) -> KeyPair {
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    KeyPair::from_seed(&Secret::new(seed))
}

impl Node {
    /// Starts one that knows boxes 0 to `others`.
    pub fn open(core: Core, others: usize) -> Result<Self> {
        let mut directory = Directory::default();
        for number in 0..=others as u64 {
            enrol(&mut directory, number, &key(number))?;
        }
        Self::start(core, &directory)
    }

    /// Starts one that knows this box, as number 0.
    pub fn with_box(core: Core, edge: &KeyPair) -> Result<Self> {
        let mut directory = Directory::default();
        enrol(&mut directory, 0, edge)?;
        Self::start(core, &directory)
    }

    fn start(core: Core, directory: &Directory) -> Result<Self> {
        let data = tempfile::tempdir()?;
        directory.save(&data.path().join("directory.json"))?;
        let path = std::env::current_exe()?.with_file_name("tresen-relay");
        let (path, folder) =
            (path.to_str().context("no text")?, data.path().to_str().context("no text")?.to_owned());
        let words = ["--data", &folder, "run", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        let mut program = Program::start(path, &[&words[..], &LIMITS[..]].concat(), core)?;
        let mut lines = BufReader::new(program.0.stdout.take().context("no output")?).lines();
        let mut word = |title: &str| -> Result<String> {
            let found = lines.find_map(|line| Some(line.ok()?.strip_prefix(title)?.trim().to_owned()));
            found.with_context(|| format!("tresen-relay does not say its {title}"))
        };
        let (name, at) = (word("Relay")?.parse()?, word("Packets")?.parse()?);
        word("API")?;
        Ok(Self { program, at, name, _data: data })
    }

    /// A box and a device that were let in, and packets from one to the other.
    pub async fn stream(&self) -> Result<Stream> {
        let (source, sink) = (Socket::bind()?, Socket::bind()?);
        let edge = key(0);
        let wish = ToNode::Register(tenant_of(0));
        let (_grant, end) = self.granted(&sink, &edge, &wish).await?;
        end.close(0_u32.into(), b"");
        let device = key(u64::MAX);
        let token = token(&edge, &device);
        let (grant, end) = self.granted(&source, &device, &ToNode::Admit(token)).await?;
        end.close(0_u32.into(), b"");
        // Nobody else reads from these sockets from now on.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let header = [&[0x41][..], grant.edge_handles[0].as_bytes(), &[0; 4]].concat();
        Ok(Stream::new(source, sink, self.at, header, PACKET_BYTES))
    }

    async fn granted(&self, socket: &Socket, key: &KeyPair, wish: &ToNode) -> Result<(Box<Grant>, Endpoint)> {
        let socket = socket.io().try_clone()?;
        let runtime = std::sync::Arc::new(TokioRuntime);
        let mut config = EndpointConfig::default();
        config.grease_quic_bit(false);
        let endpoint = Endpoint::new(config, None, socket, runtime)?;
        let mut control = Control::connect(&endpoint, self.at, self.name, key).await?;
        control.say(wish).await?;
        loop {
            match control.hear().await? {
                FromNode::Granted { grant, .. } => return Ok((grant, endpoint)),
                FromNode::Refused => bail!("the relay refuses"),
                _ => {}
            }
        }
    }
}

/// Box number `number` belongs to its tenant, from now on.
fn enrol(directory: &mut Directory, number: u64, edge: &KeyPair) -> Result<()> {
    let (tenant, secret) = (tenant_of(number), Secret::new(rand::random()));
    if number.is_multiple_of(BOXES) {
        directory.add_tenant(tenant, "Bench", 1_000_000)?;
    }
    directory.open_enrolment(tenant, &secret, now_s())?;
    directory.enrol(&secret, edge.fingerprint(), now_s())?;
    Ok(())
}

/// A token of box 0 for a device.
pub fn token(edge: &KeyPair, device: &KeyPair) -> Box<[u8; tresen_identity::TOKEN_BYTES]> {
    let admission = Admission {
        tenant: tenant_of(0),
        edge: edge.fingerprint(),
        device: device.fingerprint(),
        issued_s: now_s(),
        lifetime_s: 900,
        id: TokenId([1; 8]),
    };
    Box::new(admission.sign(edge))
}

fn now_s() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default()
}
