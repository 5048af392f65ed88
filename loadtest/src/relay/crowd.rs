//! Many at one node: what an edge server and a device cost there, and how fast they come.
//!
//! All of them speak from a few sockets of this process: a node tells connections by their ids.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tresen_identity::KeyPair;
use tresen_path::{FromNode, ToNode};
use tresen_reach::Control;

use super::Core;
use super::node::{Node, key, tenant_of, token};
use super::report::{Crowd, Group};
use super::stream::Socket;
use crate::screen::cpu;

/// Handshakes under way at a time.
const AT_ONCE: usize = 48;

/// Sockets of this process.
const ENDPOINTS: usize = 16;

/// How long everybody is still before memory is read.
const STILL: Duration = Duration::from_secs(2);

/// For how long idle connections are watched: each says once in ten seconds that it is there.
const IDLE: Duration = Duration::from_secs(10);

/// Lets so many edge servers come, and then as many devices of the first one.
pub async fn measure(core: Core, most: usize) -> Result<Crowd> {
    let node = Arc::new(Node::open(core, most)?);
    let endpoints: Vec<Endpoint> = (0..ENDPOINTS).map(|_| endpoint()).collect::<Result<_>>()?;
    let mut kept = Vec::new();
    let edge = |number: usize| {
        let number = number as u64;
        (key(number), ToNode::Register(tenant_of(number)))
    };
    let edges = group(&node, &endpoints, most, edge, &mut kept).await?;
    let idle_before_s = node.program.cpu_s()?;
    tokio::time::sleep(IDLE).await;
    let idle_cpu_share = (node.program.cpu_s()? - idle_before_s) / IDLE.as_secs_f64();
    let box_key = key(0);
    let client = |number: usize| {
        let device = key((1 << 32) + number as u64);
        let token = token(&box_key, &device);
        (device, ToNode::Admit(token))
    };
    let clients = group(&node, &endpoints, most, client, &mut kept).await?;
    let open = kept.len();
    Ok(Crowd { edges, clients, open, idle_cpu_share })
}

async fn group(
    node: &Arc<Node>,
    endpoints: &[Endpoint],
    most: usize,
    make: impl Fn(usize) -> (KeyPair, ToNode),
    kept: &mut Vec<Control>,
) -> Result<Group> {
    let process = node.program.0.id();
    let (before_bytes, before_s, begun) =
        (cpu::private_bytes(process)?, node.program.cpu_s()?, Instant::now());
    let (places, mut coming) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for number in 0..most {
        let place = places.clone().acquire_owned().await?;
        let ((key, wish), node) = (make(number), node.clone());
        let endpoint = endpoints[number % endpoints.len()].clone();
        coming.spawn(async move {
            let control = come(&node, &endpoint, &key, &wish).await;
            drop(place);
            control
        });
    }
    while let Some(control) = coming.join_next().await {
        kept.push(control??);
    }
    let (seconds, cpu_s) = (begun.elapsed().as_secs_f64(), node.program.cpu_s()? - before_s);
    tokio::time::sleep(STILL).await;
    let bytes = cpu::private_bytes(process)?.saturating_sub(before_bytes);
    Ok(Group {
        count: most,
        bytes_each: bytes as f64 / most as f64,
        connects_a_s: most as f64 / seconds,
        connects_a_cpu_s: most as f64 / cpu_s,
    })
}

async fn come(node: &Node, endpoint: &Endpoint, key: &KeyPair, wish: &ToNode) -> Result<Control> {
    let mut control = Control::connect(endpoint, node.at, node.name, key).await?;
    control.say(wish).await?;
    loop {
        match control.hear().await? {
            FromNode::Granted { .. } => return Ok(control),
            FromNode::Client(..) | FromNode::Call(..) | FromNode::Public(_) | FromNode::Nodes { .. } => {}
            FromNode::Joined(_) | FromNode::Refused | FromNode::Leaving => bail!("the relay refuses"),
        }
    }
}

fn endpoint() -> Result<Endpoint> {
    let mut config = EndpointConfig::default();
    config.grease_quic_bit(false);
    let socket = Socket::bind()?.io().try_clone()?;
    Ok(Endpoint::new(config, None, socket, Arc::new(TokioRuntime))?)
}
