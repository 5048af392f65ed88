//! The floor under "server CPU a tap": a QUIC server that only answers, with nothing of ours above the connection.
//!
//! The same endpoint, the same keys, one small message there and one back, at the pace of the benchmark. What a tap costs more than this
//! is ours; what this costs belongs to QUIC, the kernel and a machine that sleeps between two taps.

use std::io::Read as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result};
use tresen_edge::net::quic;
use tresen_identity::{Certificate, Fingerprint, KeyPair, Secret, quic_server_config};

use super::cpu;
use crate::device::Device;

/// Begins the line with the server's fingerprint and port.
pub const BARE: &str = "bare ";

/// Exchanges that are measured.
const EXCHANGES: u32 = 240;

/// A tap: its length and that of its answer are about the medians of the reference till.
const QUESTION: [u8; 12] = [0; 12];

/// Bytes of an answer.
const ANSWER: [u8; 45] = [0; 45];

/// Answers every question until the standard input ends.
///
/// # Errors
/// When the endpoint can't be opened.
pub async fn serve() -> Result<()> {
    let key = KeyPair::from_seed(&Secret::new(rand::random()));
    let tls = quic_server_config(Certificate::for_key_pair(&key)?)?;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = socket.local_addr()?.port();
    let endpoint = quic::endpoint(socket, tls)?;
    println!("{BARE}{} {port}", key.fingerprint());
    let answering = tokio::spawn(async move {
        let connection = endpoint.accept().await.context("the endpoint is closed")?.await?;
        let (mut send, mut recv) = connection.accept_bi().await?;
        let mut question = [0; QUESTION.len()];
        while recv.read_exact(&mut question).await.is_ok() {
            send.write_all(&ANSWER).await?;
        }
        anyhow::Ok(())
    });
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    answering.abort();
    Ok(())
}

/// CPU time of the server `process` for one exchange, in microseconds. `line` is what it said of itself; `silence` lies between two.
///
/// # Errors
/// When the server does not answer.
pub async fn measure(process: u32, line: &str, silence: Duration) -> Result<f64> {
    let (fingerprint, port) = line.split_once(' ').context("no fingerprint and port")?;
    let server: Fingerprint = fingerprint.parse()?;
    let key = KeyPair::from_seed(&Secret::new(rand::random()));
    let socket = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into())?;
    let device = Device::known(server, port.parse()?, &key, &socket)?;
    let (_connection, mut send, mut recv) = device.open().await?;
    let mut before_us = 0.0;
    for index in 0..=EXCHANGES {
        send.write_all(&QUESTION).await?;
        recv.read_exact(&mut [0; ANSWER.len()]).await?;
        tokio::time::sleep(silence).await;
        if index == 0 {
            before_us = cpu::used_us(process)?;
        }
    }
    Ok((cpu::used_us(process)? - before_us) / f64::from(EXCHANGES))
}
