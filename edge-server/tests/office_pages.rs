//! Promise: what the owner does in the back office is done, and what she sees is true.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use support::browser::{Answer, Box, Browser, Furnished};
use tresen_edge::links::{Connection, Packets, Way};
use tresen_edge::registry::{DEMO_SEATS, Device, DeviceKey, demo_licence};
use tresen_identity::{DeviceClass, Fingerprint, verify_password};
use tresen_till::StaffId;

const PAGES: [&str; 12] = [
    "/office",
    "/office/catalogue",
    "/office/catalogue/101",
    "/office/stations",
    "/office/stations/1",
    "/office/devices",
    "/office/devices/pair",
    "/office/network",
    "/office/licence",
    "/office/staff",
    "/office/staff/new",
    "/office/staff/1",
];

/// What the next page says about what was done.
async fn said(browser: &mut Browser, answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let page = browser.get(answer.location()).await.text();
    let at = page.find("role=\"status\"").expect("the next page says what happened");
    let text = &page[at..at + page[at..].find("</p>").unwrap()];
    text[text.rfind("<span>").unwrap() + "<span>".len()..].replace("</span>", "")
}

fn device(byte: u8) -> Device {
    Device {
        id: Fingerprint::from_bytes([byte; 32]),
        name: "Pixel <8>".into(),
        class: DeviceClass::Mpos,
        key: DeviceKey::Certificate,
        station: None,
        last_station: None,
        paired_at: Timestamp::now(),
        last_seen: None,
        revoked: false,
        confirmed: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_no_inline_code_and_carry_their_guards() {
    let site = Box::start(Furnished::Demo).await;
    let mut olga = site.owner().await;
    for (language, word) in [("en", "Staff"), ("de", "Personal")] {
        olga.headers = vec![("accept-language".into(), language.into())];
        for page in PAGES {
            let answer = olga.get(page).await;
            let text = answer.text();
            assert_eq!(answer.status, StatusCode::OK, "{page}");
            assert!(text.contains(word) && text.contains(&format!("<html lang=\"{language}\"")), "{page}");
            assert!(
                !text.contains(" style=") && !text.contains("<script>") && !text.contains(" onclick="),
                "{page}"
            );
            assert_eq!(text.matches("<h1").count(), 1, "{page} has one heading");
            let policy = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        }
    }
    for asset in ["office.css", "htmx.min.js", "icons.svg", "mark.svg", "inter-latin.woff2"] {
        assert_eq!(site.browser().get(&format!("/office/assets/{asset}")).await.status, StatusCode::OK);
    }
    assert_eq!(olga.get("/office/nothing").await.status, StatusCode::NOT_FOUND);
    let away = olga.get("/office/language/en?back=https://evil.example").await;
    assert_eq!(away.location(), "/office", "the language leads nowhere else");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_gets_a_pin_that_opens_the_till() {
    let site = Box::start(Furnished::Demo).await;
    let mut olga = site.owner().await;
    let form = |name, pin| [("name", name), ("role", "waiter"), ("pin", pin), ("password", "")];
    for (name, pin) in [("Zoe", "12"), ("Zoe", "12345a"), ("", "7391"), ("Zoe", "")] {
        let answer = olga.post("/office/staff/new", &form(name, pin)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name} {pin}");
        assert!(answer.text().contains("role=\"alert\""));
    }
    let answer = olga.post("/office/staff/new", &form("Zoe", "0000")).await;
    assert!(said(&mut olga, &answer).await.contains("easy to guess"), "a weak PIN is taken, with a warning");
    let zoe = |till: &tresen_till::Till| till.staff_member(StaffId(4)).cloned();
    let hash = |site: &Box| zoe(&site.server.site.ledger.till()).unwrap().pin_hash.reveal().to_owned();
    assert!(verify_password("0000", &hash(&site)));

    let answer = olga.post("/office/staff/4", &form("Zoë", "739104")).await;
    assert_eq!(said(&mut olga, &answer).await, "Saved.");
    assert!(verify_password("739104", &hash(&site)) && !verify_password("0000", &hash(&site)));
    assert_eq!(zoe(&site.server.site.ledger.till()).unwrap().name, "Zoë");
    let answer = olga.post("/office/staff/4", &form("Zoë", "")).await;
    assert_eq!(said(&mut olga, &answer).await, "Saved.");
    assert!(verify_password("739104", &hash(&site)), "an empty field keeps the PIN");

    let answer = olga.post("/office/staff/4/remove", &[]).await;
    assert!(said(&mut olga, &answer).await.contains("removed"));
    assert!(zoe(&site.server.site.ledger.till()).is_none());
    let answer = olga.post("/office/staff/3/remove", &[]).await;
    assert!(said(&mut olga, &answer).await.contains("At least one owner"));
    let demoted = [("name", "Olga"), ("role", "waiter"), ("pin", ""), ("password", "")];
    let answer = olga.post("/office/staff/3", &demoted).await;
    assert!(answer.text().contains("At least one owner"));
    site.stop().await;
}

/// Promise: who was removed can be brought back under the same id, with a PIN to be set anew, and then logs in again.
#[tokio::test(flavor = "multi_thread")]
async fn who_left_can_be_brought_back() {
    let site = Box::start(Furnished::Demo).await;
    let till = || site.server.site.ledger.till();
    let mut olga = site.owner().await;
    assert!(!olga.get("/office/staff").await.text().contains("Former staff"));
    assert_eq!(olga.get("/office/staff/1/return").await.status, StatusCode::NOT_FOUND, "she is here");
    olga.get("/office/staff/new").await;
    olga.post("/office/staff/1/remove", &[]).await;
    assert!(till().staff_member(StaffId(1)).is_none());
    let page = olga.get("/office/staff").await.text();
    assert!(page.contains("Former staff") && page.contains("/office/staff/1/return"));

    let form = |pin| [("name", "Anna"), ("role", "manager"), ("pin", pin), ("password", "")];
    assert!(olga.get("/office/staff/1/return").await.text().contains("value=\"Anna\""));
    let answer = olga.post("/office/staff/1/return", &form("")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "the old PIN does not come back");
    let answer = olga.post("/office/staff/1/return", &form("739104")).await;
    assert!(said(&mut olga, &answer).await.contains("is back"));
    let anna = till().staff_member(StaffId(1)).cloned().unwrap();
    assert!(verify_password("739104", anna.pin_hash.reveal()) && anna.name == "Anna");
    assert!(!olga.get("/office/staff").await.text().contains("Former staff"));
    let again = olga.post("/office/staff/1/return", &form("739104")).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "only once");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_named_assigned_revoked_and_removed() {
    let site = Box::start(Furnished::Demo).await;
    let registry = &site.server.site.registry;
    let mut olga = site.owner().await;
    let code = olga.post("/office/devices/pair", &[("class", "mpos")]).await.text();
    assert!(code.contains("<svg") && code.contains("https://127.0.0.1:") && code.contains("left"));
    olga.headers.push(("hx-request".into(), "true".into()));
    let waiting = olga.get("/office/devices/pair/status").await;
    assert!(waiting.text().contains("Waiting for the device"));

    site.server.site.pairing.close();
    registry.enrol(device(7)).await.unwrap();
    let arrived = olga.get("/office/devices/pair/status").await;
    let id = device(7).id.to_string();
    assert_eq!(arrived.headers["hx-redirect"], format!("/office/devices/{id}"));
    olga.headers.pop();
    let page = olga.get(&format!("/office/devices/{id}")).await.text();
    assert!(
        page.contains("Pixel &#60;8&#62;") && !page.contains("Pixel <8>"),
        "a device's name is only text"
    );

    let save = format!("/office/devices/{id}");
    let wrong = olga.post(&save, &[("name", " "), ("station", "1")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = olga.post(&save, &[("name", "Handheld 1"), ("station", "1")]).await;
    assert_eq!(said(&mut olga, &answer).await, "Saved.");
    let stored = registry.snapshot().devices[&device(7).id].clone();
    assert_eq!((stored.name.as_str(), stored.station, stored.confirmed), ("Handheld 1", Some(1), true));
    let seats = olga.get("/office/licence").await.text();
    assert!(seats.contains("<progress value=\"1\" max=\"6\""), "one seat of six is used");

    let gone = olga.post(&format!("{save}/remove"), &[]).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "only a revoked one is removed");
    let answer = olga.post(&format!("{save}/revoke"), &[]).await;
    assert!(said(&mut olga, &answer).await.contains("is revoked"));
    assert!(registry.snapshot().devices[&device(7).id].revoked);
    let answer = olga.post(&format!("{save}/remove"), &[]).await;
    assert!(said(&mut olga, &answer).await.contains("is removed"));
    assert!(registry.snapshot().devices.is_empty());
    site.stop().await;
}

/// A connection over a bad radio link.
struct Lossy(SocketAddr);

impl Connection for Lossy {
    fn way(&self) -> Way {
        Way::Direct
    }

    fn address(&self) -> SocketAddr {
        self.0
    }

    fn packets(&self) -> Option<Packets> {
        Some(Packets { sent: 1000, lost: 82 })
    }
}

/// Promise: a poor link is told in plain words, with what to do about it, in both languages, and whatever its device is called.
#[tokio::test(flavor = "multi_thread")]
async fn a_poor_link_is_told_in_plain_words() {
    let site = Box::start(Furnished::Demo).await;
    let links = &site.server.site.links;
    let mut olga = site.owner().await;
    assert!(olga.get("/office/network").await.text().contains("No device connected yet"));
    let mut watched = Vec::new();
    for (byte, address) in [(7, "192.168.1.47:5000"), (8, "203.0.113.7:5000")] {
        site.server.site.registry.enrol(device(byte)).await.unwrap();
        let connection = std::boxed::Box::new(Lossy(address.parse().unwrap()));
        watched.push(links.begin(device(byte).id, connection, Arc::default()));
    }
    links.sample();
    let page = olga.get("/office/network").await.text();
    let near = "Pixel &#60;8&#62;: loses 8.2% of packets; move it nearer to the access point";
    let far = "Pixel &#60;8&#62;: loses 8.2% of packets; check the internet connection here and there";
    assert!(page.contains(near) && page.contains(far) && !page.contains("Pixel <8>"), "{page}");
    assert!(page.contains("aria-label=\"Packet loss, last hour: 8.2%, 82 of 1000 packets lost"), "{page}");
    assert!(olga.get("/office").await.text().contains(near), "the overview tells it as well");
    olga.headers = vec![("accept-language".into(), "de".into())];
    let page = olga.get("/office/network").await.text();
    let near = "verliert 8,2\u{a0}% der Pakete; stellen Sie es näher an den Access Point";
    assert!(page.contains(near), "{page}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_is_taken_or_explained() {
    let site = Box::start(Furnished::Demo).await;
    let mut olga = site.owner().await;
    let today = site.server.site.ledger.till().site().local(Timestamp::now()).date();
    let good = demo_licence(DEMO_SEATS, today).unwrap();
    let changed = good.replace("mpos = 6", "mpos = 60");
    for (file, reason) in
        [("", "Choose a licence file"), ("hello", "not a licence file"), (&changed, "signature is wrong")]
    {
        let answer = olga.upload("/office/licence", file).await;
        let text = said(&mut olga, &answer).await;
        assert!(text.contains(reason), "{text}");
        assert_eq!(site.server.site.registry.snapshot().licensing.seats().mpos, 6, "the old one holds");
    }
    let answer = olga.upload("/office/licence", &good).await;
    assert!(said(&mut olga, &answer).await.contains("6 handhelds, 2 payment terminals"));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_shows_every_instance_and_only_what_changed_is_sent() {
    let site = Box::start(Furnished::Demo).await;
    let mut olga = site.owner().await;
    let live = olga.get("/office/live").await;
    assert_eq!(live.text().matches("<li class=\"instance").count(), 8);
    let picture = live.text();
    let at = picture.find("/office/instances/1/screen.png").unwrap();
    let address = &picture[at..at + picture[at..].find('"').unwrap()];
    let png = olga.get(address).await;
    assert!(png.body.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert!(png.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png.body)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), (264, 469));
    assert!(pixels.chunks(3).any(|pixel| pixel != &pixels[..3]), "there is something to see");

    olga.headers.push(("if-none-match".into(), png.etag()));
    assert_eq!(olga.get("/office/instances/1/screen.png").await.status, StatusCode::NOT_MODIFIED);
    olga.headers.pop();
    olga.headers.push(("if-none-match".into(), live.etag()));
    assert_eq!(olga.get("/office/live").await.status, StatusCode::NOT_MODIFIED);
    site.server.site.registry.rename_station(1, "Theke").await.unwrap();
    // The name reaches the instance's own task, and its screen, by and by: the card has it from the registry at once.
    let hub = &site.server.site.hub;
    hub.follow(&site.server.site.registry.snapshot()).await;
    assert_eq!(olga.get("/office/live").await.status, StatusCode::OK);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_for_this_machine_only() {
    let site = Box::start(Furnished::Demo).await;
    let mut here = site.browser();
    let text = here.get("/metrics").await.text();
    for line in [
        "tresen_instances{state=\"running\"}",
        "tresen_sessions 0",
        "tresen_instance_restarts_total{station=\"1\"} 0",
        "tresen_taps_total{station=\"1\"} 0",
        "tresen_sent_bytes_total{station=\"1\"} 0",
        "tresen_seats{class=\"mpos\"} 6",
        "tresen_commit_seconds_bucket{le=\"+Inf\"}",
        "tresen_spool_waiting 0",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
    let rows: u64 =
        text.lines().find_map(|line| line.strip_prefix("tresen_journal_rows ")).unwrap().parse().unwrap();
    assert!(rows > 0);
    here.from = "192.168.1.77".parse().unwrap();
    assert_ne!(here.get("/metrics").await.status, StatusCode::OK);

    // A web page that points its own name at this machine asks over TLS, from a loopback address.
    let mut rebound = site.browser();
    (rebound.host, rebound.tls) = ("evil.example".into(), true);
    assert_eq!(rebound.get("/metrics").await.status, StatusCode::FORBIDDEN);
    rebound.host = "localhost".into();
    assert_eq!(rebound.get("/metrics").await.status, StatusCode::OK);
    rebound.headers.push(("origin".into(), "https://evil.example".into()));
    assert_eq!(rebound.get("/metrics").await.status, StatusCode::FORBIDDEN);
    site.stop().await;
}
