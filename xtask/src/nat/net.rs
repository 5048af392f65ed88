//! A small internet of network namespaces: a relay, a client and an edge server, and what stands between them. It is gone when it is dropped.
//!
//! Its public addresses are real ones of others, which nothing here can reach: routers map no ports of addresses that are set aside for examples and benchmarks.
//!
//! ```text
//! client - boxes - 11.0.1.0/24 \
//!                                 internet - 11.0.0.0/24 - relay
//! edge   - boxes - 11.0.2.0/24 /
//! ```

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::boxes::{SIX_RULES, Side, rules, shared_rules};

/// All namespaces begin with this; nothing else is ever taken away.
const PREFIX: &str = "tresen-nat-";

/// Where the relay is.
pub const RELAY: (&str, &str) = ("11.0.0.2", "2001:db8:0:1::2");

/// The port of the edge server.
pub const EDGE_PORT: &str = "30443";

/// See the module.
pub struct Net;

/// Both ends of a cable: namespace, name of the interface, address.
type End<'a> = (&'a str, &'a str, &'a str);

impl Drop for Net {
    fn drop(&mut self) {
        clear();
    }
}

/// Takes away what an interrupted run has left.
pub fn clear() {
    let Ok(listed) = Command::new("ip").args(["netns", "list"]).output() else { return };
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        if let Some(name) = line.split_whitespace().next().filter(|name| name.starts_with(PREFIX)) {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

impl Net {
    /// With these boxes before the client and before the edge server.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn build(client: Side, edge: Side) -> Result<Self> {
        clear();
        let net = Self;
        add("internet")?;
        add("relay")?;
        let (four, six) = RELAY;
        cable(("internet", "relay", "11.0.0.1/24"), ("relay", "up", &format!("{four}/24")))?;
        six_beside(("internet", "relay", "2001:db8:0:1::1/64"), ("relay", "up", &format!("{six}/64")))?;
        route("relay", "11.0.0.1")?;
        six_route("relay", "2001:db8:0:1::1")?;
        match (client, edge) {
            (Side::Shared, _) => shared()?,
            _ => {
                side("client", 1, client)?;
                side("edge", 2, edge)?;
            }
        }
        Ok(net)
    }

    /// Everything between client and edge server is lost, or gets through again; the relay reaches both.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn cut(&self, is_cut: bool) -> Result<()> {
        let table = "table ip cut {
            chain pass { type filter hook forward priority filter; policy accept;
                ip saddr 11.0.1.0/24 ip daddr 11.0.2.0/24 drop
                ip saddr 11.0.2.0/24 ip daddr 11.0.1.0/24 drop
            }
        }\n";
        nft("internet", if is_cut { table } else { "delete table ip cut\n" })
    }

    /// A client without a box has no network until it gets another address.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn unplug_client(&self) -> Result<()> {
        ip(&["-n", &full("client"), "addr", "flush", "dev", "up", "scope", "global"])
    }

    /// A client without a box gets another address.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn move_client(&self, to: &str) -> Result<()> {
        self.unplug_client()?;
        ip(&["-n", &full("client"), "addr", "add", &format!("{to}/24"), "dev", "up"])?;
        route("client", "11.0.1.1")
    }
}

/// A program in a namespace.
pub fn within(namespace: &str, program: &std::path::Path) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &full(namespace)]).arg(program);
    command
}

fn side(host: &str, number: u8, side: Side) -> Result<()> {
    let (outside, gate) = (format!("11.0.{number}.2"), format!("11.0.{number}.1"));
    let (inside, lan) = (format!("10.{number}.0.2"), format!("10.{number}.0.1"));
    let door = host;
    add(host)?;
    match side {
        Side::Open => {
            cable(("internet", door, &format!("{gate}/24")), (host, "up", &format!("{outside}/24")))?;
            route(host, &gate)
        }
        Side::Ipv6 => {
            let address = |network: u8, host: u8| format!("2001:db8:{number}:{network}::{host}");
            let long = |network: u8, host: u8| format!("{}/64", address(network, host));
            let own = format!("{host}-box");
            add(&own)?;
            plug(("internet", door), (&own, "wan"))?;
            six_beside(("internet", door, &long(1, 1)), (&own, "wan", &long(1, 2)))?;
            six_route(&own, &address(1, 1))?;
            plug((&own, "lan"), (host, "up"))?;
            six_beside((&own, "lan", &long(2, 1)), (host, "up", &long(2, 2)))?;
            six_route(host, &address(2, 1))?;
            let (behind, through) = (format!("2001:db8:{number}:2::/64"), address(1, 2));
            ip(&["-n", &full("internet"), "-6", "route", "add", &behind, "via", &through])?;
            nft(&own, SIX_RULES)
        }
        Side::Double => {
            let (outer, inner) = (format!("{host}-outer"), format!("{host}-box"));
            let (middle, between) = (format!("100.64.{number}.2"), format!("100.64.{number}.1"));
            add(&outer)?;
            add(&inner)?;
            cable(("internet", door, &format!("{gate}/24")), (&outer, "wan", &format!("{outside}/24")))?;
            route(&outer, &gate)?;
            cable((&outer, "lan", &format!("{between}/24")), (&inner, "wan", &format!("{middle}/24")))?;
            route(&inner, &between)?;
            cable((&inner, "lan", &format!("{lan}/24")), (host, "up", &format!("{inside}/24")))?;
            route(host, &lan)?;
            nft(&outer, &rules(side, &middle))?;
            nft(&inner, &rules(side, &inside))
        }
        _ => {
            let own = format!("{host}-box");
            add(&own)?;
            cable(("internet", door, &format!("{gate}/24")), (&own, "wan", &format!("{outside}/24")))?;
            route(&own, &gate)?;
            cable((&own, "lan", &format!("{lan}/24")), (host, "up", &format!("{inside}/24")))?;
            route(host, &lan)?;
            nft(&own, &rules(side, &inside))
        }
    }
}

/// Both sides behind boxes of their own, and these behind one.
fn shared() -> Result<()> {
    add("carrier")?;
    cable(("internet", "client", "11.0.1.1/24"), ("carrier", "wan", "11.0.1.2/24"))?;
    route("carrier", "11.0.1.1")?;
    for (host, number) in [("client", 1), ("edge", 2)] {
        let own = format!("{host}-box");
        add(host)?;
        add(&own)?;
        let (between, middle) = (format!("100.64.{number}.1"), format!("100.64.{number}.2"));
        let lan = format!("lan{number}");
        cable(("carrier", &lan, &format!("{between}/24")), (&own, "wan", &format!("{middle}/24")))?;
        route(&own, &between)?;
        let (gate, inside) = (format!("10.{number}.0.1"), format!("10.{number}.0.2"));
        cable((&own, "lan", &format!("{gate}/24")), (host, "up", &format!("{inside}/24")))?;
        route(host, &gate)?;
        nft(&own, &rules(Side::PortRestricted, &inside))?;
    }
    set("client", "net.ipv4.ip_local_port_range=20000 29999")?;
    nft("carrier", &shared_rules("11.0.1.2", "100.64.1.2", "100.64.2.2"))
}

fn full(name: &str) -> String {
    format!("{PREFIX}{name}")
}

fn add(name: &str) -> Result<()> {
    ip(&["netns", "add", &full(name)])?;
    ip(&["-n", &full(name), "link", "set", "dev", "lo", "up"])?;
    // A new address is asked for by others for two seconds before it is used.
    set(name, "net.ipv6.conf.default.accept_dad=0")?;
    set(name, "net.ipv4.ip_forward=1")?;
    set(name, "net.ipv6.conf.all.forwarding=1")
}

fn plug(one: (&str, &str), other: (&str, &str)) -> Result<()> {
    let (a, b) = (full(one.0), full(other.0));
    ip(&["link", "add", one.1, "netns", &a, "type", "veth", "peer", "name", other.1, "netns", &b])?;
    ip(&["-n", &a, "link", "set", "dev", one.1, "up"])?;
    ip(&["-n", &b, "link", "set", "dev", other.1, "up"])
}

fn cable(one: End<'_>, other: End<'_>) -> Result<()> {
    plug((one.0, one.1), (other.0, other.1))?;
    for (name, interface, address) in [one, other] {
        ip(&["-n", &full(name), "addr", "add", address, "dev", interface])?;
    }
    Ok(())
}

fn six_beside(one: End<'_>, other: End<'_>) -> Result<()> {
    for (name, interface, address) in [one, other] {
        ip(&["-n", &full(name), "addr", "add", address, "dev", interface, "nodad"])?;
    }
    Ok(())
}

fn route(name: &str, gate: &str) -> Result<()> {
    ip(&["-n", &full(name), "route", "replace", "default", "via", gate])
}

fn six_route(name: &str, gate: &str) -> Result<()> {
    ip(&["-n", &full(name), "-6", "route", "replace", "default", "via", gate])
}

fn set(name: &str, what: &str) -> Result<()> {
    run(Command::new("ip").args(["netns", "exec", &full(name), "sysctl", "-q", "-w", what]), None)
}

fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments), None)
}

/// Rules of a namespace.
///
/// # Errors
/// When the system refuses.
pub fn nft(name: &str, text: &str) -> Result<()> {
    run(Command::new("ip").args(["netns", "exec", &full(name), "nft", "-f", "-"]), Some(text))
}

fn run(command: &mut Command, input: Option<&str>) -> Result<()> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    if let (Some(text), Some(stdin)) = (input, child.stdin.as_mut()) {
        stdin.write_all(text.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
