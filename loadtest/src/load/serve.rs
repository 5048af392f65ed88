//! The server under load, in a process of its own: the real one, with seats, devices and tables for everybody who will come.
//!
//! It has a licence for so many seats that the demo's own key signed, which only a demo believes; devices are enrolled as if each had been
//! paired. Nothing of it is possible from outside. It tells its parent on its standard output what it needs to know, one line each,
//! answers each line of its standard input with its figures, and ends when that does.

use std::io::BufRead as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tresen_edge::config::{Config, Limits};
use tresen_edge::registry::{Device, DeviceKey, demo_licence};
use tresen_edge::run::{self, RunOptions, Server};
use tresen_identity::{DeviceClass, Fingerprint, SeatCounts};
use tresen_ledger::Submission;
use tresen_till::{Area, AreaId, Command, Context, Manage, Shape, StationId, Table, TableId, demo};
use tresen_wire::CloseCode;

use super::shift::{A_TABLE_WAITER_IN, TABLES_AN_AREA, area_name, table_name};
use super::{ServeArguments, key_of};
use crate::screen::cpu;

/// Begins the line that says that it serves.
pub const READY: &str = "ready ";
/// Begins the line with its figures.
pub const FIGURES: &str = "figures ";

/// A commit that takes longer is most of the 30 ms that a screen waits for its booking. It is the transaction alone: what a booking waits for its
/// turn is not in it. A bound of the ledger's histogram, in microseconds.
const SLOW_COMMIT_US: u64 = 25_000;

/// Connections besides those of the waiters.
const SPARE_CONNECTIONS: i64 = 64;

/// Of so many waiters, one may come again while his former connection is not over yet.
const COME_AGAIN_IN: i64 = 4;

/// First id of the areas that are added, and of the tables.
const FIRST_AREA: u16 = 100;
const FIRST_TABLE: u32 = 1000;

/// Where it can be reached, and what it weighs while it knows nobody.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// Its port.
    pub port: u16,
    /// Its name.
    pub server: Fingerprint,
    /// Private memory before the first seat was there, in bytes.
    pub empty_bytes: u64,
}

/// What it did until now.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Rows of the journal: each a booking that is on disk.
    pub rows: u64,
    /// Commits, each with one or more of them.
    pub commits: u64,
    /// How long all commits took together, in microseconds.
    pub commits_us: u64,
    /// Commits that took longer than 25 ms.
    pub slow_commits: u64,
    /// Frames and other messages that instances sent.
    pub messages: u64,
}

/// Serves until the standard input ends.
///
/// # Errors
/// When the server can't start.
pub async fn serve(arguments: &ServeArguments) -> Result<()> {
    let server = run::start(RunOptions {
        config: config(arguments.data.clone(), arguments.devices)?,
        demo: true,
        applications: None,
        ledger: Default::default(),
    })
    .await?;
    let empty_bytes = cpu::private_bytes(std::process::id())?;
    furnish(&server, arguments).await?;
    let ready = Ready { port: server.port, server: server.site.name, empty_bytes };
    println!("{READY}{}", serde_json::to_string(&ready)?);
    let site = server.site.clone();
    tokio::task::spawn_blocking(move || -> Result<()> {
        for line in std::io::stdin().lock().lines() {
            line?;
            let stats = site.ledger.stats();
            let instances = site.hub.instances();
            let messages = instances.iter().map(|(_, handle)| handle.status.messages.load(Ordering::Relaxed));
            let slow =
                stats.commits_us.iter().filter(|(bound, _)| bound.is_none_or(|us| us > SLOW_COMMIT_US));
            let figures = Figures {
                rows: stats.journal_rows,
                commits: stats.commits_us.iter().map(|(_, count)| count).sum(),
                commits_us: stats.commits_sum_us,
                slow_commits: slow.map(|(_, count)| count).sum(),
                messages: messages.sum(),
            };
            println!("{FIGURES}{}", serde_json::to_string(&figures)?);
        }
        Ok(())
    })
    .await??;
    server.finish(CloseCode::ServerStopping, "").await;
    Ok(())
}

fn config(data: PathBuf, devices: u16) -> Result<Config> {
    let devices = i64::from(devices);
    let connections = devices + devices / COME_AGAIN_IN + SPARE_CONNECTIONS;
    let connections = connections.try_into().map_err(anyhow::Error::msg)?;
    let limits = Limits { connections, ..Limits::default() };
    let bind = vec![Ipv4Addr::LOCALHOST.into()];
    Ok(Config { data, port: 0, bind, mdns: false, limits, ..Config::default() })
}

/// Seats, tables and devices for everybody.
async fn furnish(server: &Server, arguments: &ServeArguments) -> Result<()> {
    let site = &server.site;
    let now = site.clock.now();
    let today = site.ledger.till().site().local(now).date();
    let licence = demo_licence(SeatCounts { mpos: arguments.devices, paypos: 0 }, today)?;
    site.registry.install_licence(&licence, today).await?;
    let context = Context { staff: Some(demo::OLGA), station: StationId(0), device: "bench".into(), at: now };
    let commands = floor(arguments.devices).into_iter().map(Command::Manage).collect();
    let floor = Submission { context, commands, mark: None, records: Vec::new() };
    site.ledger.submit(floor).await.context("the ledger is closed")??;
    let seats: Vec<u16> = site
        .registry
        .snapshot()
        .seated()
        .filter(|station| station.class == DeviceClass::Mpos)
        .map(|s| s.number)
        .collect();
    for (waiter, station) in (0..arguments.devices).zip(seats) {
        let device = Device {
            id: key_of(arguments.seed, waiter).fingerprint(),
            name: format!("Handheld {waiter}"),
            class: DeviceClass::Mpos,
            key: DeviceKey::Certificate,
            station: Some(station),
            last_station: None,
            paired_at: now,
            last_seen: None,
            revoked: false,
            confirmed: true,
        };
        site.registry.enrol(device).await?;
    }
    Ok(())
}

/// A table for each waiter who serves tables.
fn floor(devices: u16) -> Vec<Manage> {
    let tables = devices.div_ceil(A_TABLE_WAITER_IN);
    let areas = (0..tables.div_ceil(TABLES_AN_AREA)).map(|area| {
        let (id, name) = (AreaId(FIRST_AREA + area), area_name(area).into());
        Manage::PutArea(Area { id, name, position: FIRST_AREA + area })
    });
    let tables = (0..tables).map(|table| {
        let place = table % TABLES_AN_AREA;
        Manage::PutTable(Table {
            id: TableId(FIRST_TABLE + u32::from(table)),
            area: AreaId(FIRST_AREA + table / TABLES_AN_AREA),
            name: table_name(table).into(),
            seats: 4,
            x_dm: 4 + place % 6 * 24,
            y_dm: 4 + place / 6 * 24,
            width_dm: 12,
            height_dm: 12,
            shape: Shape::Square,
        })
    });
    areas.chain(tables).collect()
}
