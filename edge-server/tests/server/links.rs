//! The network page of the back office: what it says of devices that are really connected.

use axum::http::StatusCode;
use tresen_edge::links::{CELLS, Presence, Way};
use tresen_edge::net::http;
use tresen_identity::{DeviceClass, Fingerprint, PairAnswer};
use tresen_wire::CloseCode;

use crate::browser::{Browser, OLGA};
use crate::client::{Client, Native};
use crate::world::World;

const PAGE: &str = "/office/network";
const LIVE: &str = "/office/network/live";

async fn owner(world: &World) -> Browser {
    let mut olga = Browser::of(http::router(&world.server.site));
    assert_eq!(olga.login(OLGA.0, OLGA.1).await.status, StatusCode::SEE_OTHER);
    olga
}

/// A native device that pairs and sees its first screen.
async fn paired(world: &World, native: &Native) -> Client {
    let site = &world.server.site;
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let (answer, wire) = native.pair(world.port(), &code).await;
    assert!(matches!(answer, PairAnswer::Paired { .. }));
    let mut client = Client::new(wire);
    client.see("Anna").await;
    client
}

fn presence(world: &World, device: Fingerprint) -> Option<(Presence, Way)> {
    let record = world.server.site.links.record(device)?;
    Some((record.presence, record.way))
}

/// Waits until a device's link is known as this.
async fn until(world: &World, device: Fingerprint, wanted: Option<(Presence, Way)>) {
    let arrived = async {
        while presence(world, device) != wanted {
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(20);
    assert!(tokio::time::timeout(limit, arrived).await.is_ok(), "{:?}", presence(world, device));
}

/// The card of a device, by its name as it is written in HTML.
fn card(page: &str, name: &str) -> String {
    let cards = page.split("<li class=\"card").skip(1);
    cards.into_iter().find(|card| card.contains(&format!("<h3>{name}</h3>"))).unwrap_or_default().to_owned()
}

/// Promise: the network page shows devices of real sessions, by QUIC and by WebSocket, with what was measured in words, and names as text.
#[tokio::test(flavor = "multi_thread")]
async fn the_network_page_tells_of_real_links() {
    let world = World::guessing().await;
    let site = &world.server.site;
    let native = Native::new(7);
    let mut quic = paired(&world, &native).await;
    quic.log_in("Anna", "1234").await;
    let mut tab = Client::guessing_tab(world.port(), 1).await;
    tab.log_in("Anna", "1234").await;
    site.registry.rename_device(native.key.fingerprint(), "<b>Bar</b> {}").await.unwrap();
    site.links.sample();

    let mut olga = owner(&world).await;
    let page = olga.get(PAGE).await.text();
    let quic_card = card(&page, "&#60;b&#62;Bar&#60;/b&#62; {}");
    assert!(!page.contains("<b>Bar</b>") && quic_card.contains("direct (QUIC, UDP)"), "{page}");
    assert!(quic_card.contains("on this machine, 127.0.0.1:") && quic_card.contains("connected since"));
    assert!(quic_card.contains("aria-label=\"Round trip, last hour: ") && quic_card.contains("packets lost"));
    assert!(quic_card.contains("None. Quick links don’t need them."), "this device keeps no guesses");
    let cards = page.split("<li class=\"card").skip(1);
    let tab_card = cards.into_iter().find(|card| card.contains("browser (WebSocket, TCP)")).unwrap();
    assert!(
        tab_card.contains("Can’t be seen with WebSocket") && tab_card.contains("sent ahead"),
        "{tab_card}"
    );
    assert!(!page.contains("class=\"alarms\""), "no link is poor");

    let live = olga.get(LIVE).await;
    olga.headers.push(("if-none-match".into(), live.etag()));
    assert_eq!(olga.get(LIVE).await.status, StatusCode::NOT_MODIFIED);
    quic.tap("Table 9").await;
    site.links.sample();
    assert_eq!(olga.get(LIVE).await.status, StatusCode::OK, "what was measured since shows");
}

/// Promise: what is known of a device's link stays when it comes again, a break is noted, and all of it goes when the device is revoked.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_remembered_across_breaks_and_goes_with_its_device() {
    let world = World::open().await;
    let site = &world.server.site;
    let native = Native::new(8);
    let device = native.key.fingerprint();
    let mut client = paired(&world, &native).await;
    client.tap("Anna").await;
    until(&world, device, Some((Presence::Connected, Way::Direct))).await;
    site.links.sample();
    let sent = || {
        let record = site.links.record(device).unwrap();
        let now_ms = site.clock.now_ms();
        let sum = record.last(now_ms, CELLS);
        (sum.sent_bytes, sum.packets.sent, record.breaks(now_ms).count())
    };
    let (bytes, packets, breaks) = sent();
    assert!(bytes > 500 && packets > 3 && breaks == 0);

    // It comes again while the server takes it for connected.
    let wire = native.connect(world.port(), site.name).await;
    let receiver = client.receiver;
    let mut again = Client::on(receiver, wire);
    again.tap("1").await;
    until(&world, device, Some((Presence::Connected, Way::Direct))).await;
    site.links.sample();
    let (more_bytes, more_packets, breaks) = sent();
    assert!(more_bytes > bytes && more_packets > packets, "what was measured before stays");
    assert_eq!(breaks, 1);
    let mut olga = owner(&world).await;
    assert!(olga.get(PAGE).await.text().contains("Broke at "));

    site.registry.revoke(device).await.unwrap();
    assert_eq!(again.closing().await, CloseCode::Revoked);
    until(&world, device, None).await;
    assert!(!olga.get(PAGE).await.text().contains("Test laptop"));
}
