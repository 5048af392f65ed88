//! When a program that was started is ready.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::family::Family;

/// A program that is not ready within this time never will be.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A TCP port that nobody uses.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until somebody listens there, without calling: some let in only one.
pub async fn listens(family: &Family, name: &str, port: u16) -> Result<()> {
    let there = || {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        tables.iter().any(|table| fs::read_to_string(table).is_ok_and(|text| has_listener(&text, port)))
    };
    until(there, || family.last_words(name)).await
}

/// Whether a table of the kernel's connections has a listener on this port.
fn has_listener(table: &str, port: u16) -> bool {
    let end = format!(":{port:04X}");
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.len() > 3 && fields[1].ends_with(&end) && fields[3] == "0A"
    })
}

/// Waits until it is so; `words` say why it is not.
pub async fn until(ready: impl Fn() -> bool, words: impl Fn() -> String) -> Result<()> {
    let limit = Instant::now() + PATIENCE;
    while !ready() {
        if Instant::now() > limit {
            bail!("it was not ready in time: {}", words());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a program is taken for ready when it listens, not when somebody else calls from that port.
    #[test]
    fn listeners_are_told_from_callers() {
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:0FE9 00000000:0000 0A 0\n   1: 0100007F:1F90 0100007F:0050 01 0\n";
        assert!(has_listener(table, 4073));
        assert!(!has_listener(table, 8080));
    }
}
