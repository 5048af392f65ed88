//! Pairing: the device makes its key, calls the server that the code names, and shows the code's secret.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tresen_identity::{PairAnswer, PairRequest, PairingCode, RefusalReason};

use crate::dial::dial_quic;
use crate::store::{Server, Store};

/// Pairs this computer by the text of a pairing code.
///
/// # Errors
/// When the code is malformed, the server does not answer, or it refuses.
pub fn pair(store: &Store, code: &str, name: Option<String>) -> Result<()> {
    let code: PairingCode = code.parse().context("This can't be used")?;
    let server = Server {
        name: code.server,
        authority: code.authority.clone(),
        addresses: code.addresses.clone(),
        relay: code.relay.clone(),
    };
    let request = PairRequest::Pair {
        secret: code.secret.to_text(),
        name: name.unwrap_or_else(computer_name),
        key: None,
    };
    let key = Arc::new(store.key()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        let mut link = dial_quic(&server, &key).await?;
        link.send(&serde_json::to_vec(&request)?).await?;
        let answer = link.receive().await?.context("The server closed the connection")?;
        link.close();
        serde_json::from_slice(&answer).context("The server's answer can't be read")
    })?;
    match answer {
        PairAnswer::Paired { station, .. } => {
            store.save_server(&server)?;
            match station {
                Some(station) => println!("Paired, as station {station}. Start it with: tresen-desktop"),
                None => {
                    println!("Paired. The back office now gives it a station. Start it with: tresen-desktop")
                }
            }
            Ok(())
        }
        PairAnswer::Refused { reason, .. } => bail!("{}", refusal(reason)),
    }
}

const fn refusal(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::Closed | RefusalReason::Expired => {
            "The code is no longer good: it is good for two minutes and for one device. Ask for a new one."
        }
        RefusalReason::Wrong => "This is not the code that the back office shows now.",
        RefusalReason::Full => {
            "Too many devices are paired: remove one in the back office, then ask for a new code."
        }
        RefusalReason::Malformed => {
            "The server could not read the request: are both programs of the same version?"
        }
    }
}

fn computer_name() -> String {
    let named = ["COMPUTERNAME", "HOSTNAME"].iter().find_map(|name| std::env::var(name).ok());
    let read = || std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned());
    named.or_else(read).filter(|name| !name.is_empty()).unwrap_or_else(|| "Desktop".to_owned())
}
