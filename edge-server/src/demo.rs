//! The demo restaurant: its data, its licence, and what the terminal says about it.

use std::net::IpAddr;

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use tresen_identity::{HashCost, hash_password};
use tresen_ledger::{Ledger, Record, Submission, photo_id, photo_record};
use tresen_till::{Command, Context, Manage, PinHash, ProductId, StationId, demo};

macro_rules! photos {
    ($($product:literal),*) => {
        [$(($product, include_bytes!(concat!("../assets/demo/", $product, ".jpg")))),*]
    };
}

/// What the drinks look like, by product. Drawn for this project, as they would be after an upload.
const PHOTOS: [(u32, &[u8]); 12] = photos!(101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112);

/// The record that a demo's furniture brings: kind and key. Whoever has it may be opened as a demo, with PINs that everybody knows.
pub const RECORD: (&str, &str) = ("demo", "furnished");

/// What a ledger is to the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Nobody owns it and nothing was booked.
    Empty,
    /// The demo furnished it.
    Demo,
    /// A real site.
    Real,
}

/// What a ledger is to the demo.
#[must_use]
pub fn nature(ledger: &Ledger) -> Nature {
    let till = ledger.till();
    let used = till.has_owner() || till.last_receipt().is_some() || till.open_checks().len() > 0;
    match ledger.record(RECORD.0, RECORD.1) {
        Some(_) => Nature::Demo,
        None if used => Nature::Real,
        None => Nature::Empty,
    }
}

/// Fills an empty ledger with the Gasthaus Linde; one with an owner stays as it is.
///
/// # Errors
/// With a sentence, when it can't be written.
pub async fn furnish(ledger: &Ledger) -> Result<(), String> {
    if ledger.till().has_owner() {
        return Ok(());
    }
    let manage = tokio::task::spawn_blocking(|| demo::gasthaus_linde(hash_pin))
        .await
        .map_err(|error| error.to_string())?;
    let context =
        Context { staff: None, station: StationId(0), device: "demo".into(), at: jiff::Timestamp::now() };
    let photos = PHOTOS.iter().map(|(product, bytes)| Manage::SetPhoto {
        product: ProductId(*product),
        photo: Some(photo_id(bytes)),
    });
    // People come last: from the first owner on, not everybody may change everything.
    let (people, things): (Vec<_>, Vec<_>) =
        manage.into_iter().partition(|manage| matches!(manage, Manage::PutStaff(_)));
    let commands = things.into_iter().chain(photos).chain(people).map(Command::Manage).collect();
    let (kind, key) = RECORD;
    let mut records = vec![Record { kind, key: key.into(), value: Some(Vec::new()) }];
    records.extend(PHOTOS.iter().map(|(_, bytes)| photo_record(bytes.to_vec())));
    let answer = ledger.submit(Submission { context, commands, mark: None, records }).await;
    match answer {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the ledger is closed".into()),
    }
}

fn hash_pin(pin: &str) -> PinHash {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .expect("the operating system gives randomness: keys were drawn from it before");
    PinHash::new(
        hash_password(pin, &salt, HashCost::PIN).expect("the PINs and the cost are within their limits"),
    )
}

/// What a person needs to begin.
#[must_use]
pub fn welcome(port: u16, addresses: &[IpAddr]) -> String {
    let people: Vec<String> = demo::STAFF.iter().map(|(_, name, _, pin)| format!("{name} {pin}")).collect();
    let mut text = format!(
        "\nGasthaus Linde is open.\n\n  Handheld     http://127.0.0.1:{port}/\n  Back office  http://127.0.0.1:{port}/office\n  PINs         {}\n",
        people.join(", ")
    );
    for address in addresses {
        let host = std::net::SocketAddr::new(*address, port);
        text.push_str(&format!("  On the LAN   https://{host}/ (pair first)\n"));
    }
    text
}

/// A pairing code for the terminal, as a picture and as text, from what [`crate::site::PairingDesk::written`] wrote.
#[must_use]
pub fn code_for_terminal(written: &str) -> String {
    let (code, link) = written.split_once('\n').unwrap_or((written, ""));
    let anywhere = match link {
        "" => String::new(),
        link => format!("\n  In a browser on any other network:\n\n  {link}\n"),
    };
    // Terminals are mostly dark: what stands for "light" is drawn, also around the code, or no camera reads it.
    let picture = QrCode::new(code).map(|code| {
        code.render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .quiet_zone(true)
            .build()
    });
    format!(
        "\n  Pair a device, within two minutes and once (a new code: back office, or 'tresen-edge pair'):\n\n{}\n\n  {code}\n{anywhere}",
        picture.unwrap_or_default()
    )
}
