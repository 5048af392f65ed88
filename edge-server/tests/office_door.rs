//! Promise: nobody sees or changes anything in the back office who may not.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use axum::http::StatusCode;
use support::browser::{Box, Furnished};
use tresen_till::{StaffId, Throttle};

const PAGES: [&str; 16] = [
    "/office",
    "/office/live",
    "/office/instances/1/screen.png",
    "/office/stations",
    "/office/stations/1",
    "/office/devices",
    "/office/devices/x",
    "/office/devices/pair",
    "/office/devices/pair/status",
    "/office/network",
    "/office/network/live",
    "/office/licence",
    "/office/staff",
    "/office/staff/new",
    "/office/staff/1",
    "/office/no/such/page",
];

const CHANGES: [&str; 9] = [
    "/office/stations/1",
    "/office/devices/pair",
    "/office/devices/x",
    "/office/devices/x/revoke",
    "/office/devices/x/remove",
    "/office/licence",
    "/office/staff/new",
    "/office/staff/1",
    "/office/staff/1/remove",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_wants_a_login() {
    let site = Box::start(Furnished::Demo).await;
    let mut stranger = site.browser();
    for cookie in
        [None, Some("tresen_office=00".to_owned()), Some(format!("tresen_office={}", "ab".repeat(32)))]
    {
        stranger.cookie = cookie;
        for page in PAGES {
            let answer = stranger.get(page).await;
            assert_eq!(
                (answer.status, answer.location()),
                (StatusCode::SEE_OTHER, "/office/login"),
                "{page}"
            );
        }
        for page in CHANGES {
            let answer = stranger.post(page, &[("name", "x")]).await;
            assert_eq!(
                (answer.status, answer.location()),
                (StatusCode::SEE_OTHER, "/office/login"),
                "{page}"
            );
        }
    }
    stranger.headers.push(("hx-request".into(), "true".into()));
    let answer = stranger.get("/office/live").await;
    assert_eq!(
        answer.headers["hx-redirect"], "/office/login",
        "a page that refreshes itself goes to the login"
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_without_the_token_and_our_origin() {
    let site = Box::start(Furnished::Demo).await;
    let mut olga = site.owner().await;
    let token = olga.csrf.clone();
    let name = ("name", "Changed");
    for (origin, form) in [
        ("http://localhost", vec![name]),
        ("http://localhost", vec![name, ("csrf", "aaaa")]),
        ("http://evil.example", vec![name, ("csrf", token.as_str())]),
        ("https://localhost", vec![name, ("csrf", token.as_str())]),
        ("null", vec![name, ("csrf", token.as_str())]),
    ] {
        let answer = olga.post_raw("/office/stations/1", origin, &form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin} {form:?}");
    }
    let other = site.owner().await.csrf;
    let answer = olga.post_raw("/office/stations/1", "http://localhost", &[name, ("csrf", &other)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "the token of another session");
    assert_ne!(site.server.site.registry.snapshot().stations[&1].name, "Changed");

    olga.csrf = token;
    assert_eq!(olga.post("/office/stations/1", &[name]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.server.site.registry.snapshot().stations[&1].name, "Changed");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_pins_are_throttled_per_person_and_address() {
    let site = Box::start(Furnished::Demo).await;
    let mut thief = site.browser();
    assert_eq!(
        thief.login("1", "1234").await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a waiter stays outside"
    );
    for _ in 0..3 {
        let answer = thief.login("3", "0000").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text().contains("The name or the PIN is wrong"));
    }
    let answer = thief.login("3", "9999").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "the right PIN comes too late");
    assert!(thief.cookie.is_none());
    let till = site.server.site.ledger.till();
    let now = site.server.site.clock.now();
    assert!(matches!(till.throttle(StaffId(3), "office elsewhere", now), Throttle::Locked { .. }));
    assert_eq!(till.throttle(StaffId(3), "some handheld", now), Throttle::Open, "the service goes on");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_one_signs_out_or_loses_the_role() {
    let site = Box::start(Furnished::Demo).await;
    let mut olga = site.owner().await;
    let mut stolen = olga.clone();
    assert_eq!(olga.post("/office/logout", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(stolen.get("/office").await.location(), "/office/login", "an old cookie opens nothing");

    let mut olga = site.owner().await;
    let zoe = [("name", "Zoe"), ("role", "owner"), ("pin", "7391"), ("password", "")];
    assert_eq!(olga.post("/office/staff/new", &zoe).await.location(), "/office/staff");
    let mut browser = site.browser();
    assert_eq!(browser.login("4", "7391").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/office/licence").await.status, StatusCode::OK);
    let waiter = [("name", "Zoe"), ("role", "waiter"), ("pin", ""), ("password", "")];
    olga.post("/office/staff/4", &waiter).await;
    assert_eq!(browser.get("/office/licence").await.location(), "/office/login");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_looks_and_changes_nothing() {
    let site = Box::start(Furnished::Demo).await;
    let mut olga = site.owner().await;
    let max = [("name", "Max"), ("role", "manager"), ("pin", "7391"), ("password", "")];
    olga.post("/office/staff/new", &max).await;
    let mut browser = site.browser();
    assert_eq!(browser.login("4", "7391").await.status, StatusCode::SEE_OTHER);
    let page = browser.get("/office/stations").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text().contains("/office/stations/1"), "nothing to edit");
    for change in CHANGES {
        assert_eq!(browser.post(change, &[("name", "x")]).await.status, StatusCode::FORBIDDEN, "{change}");
    }
    assert_eq!(browser.post("/office/logout", &[]).await.location(), "/office/login?out=1");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_replaces_the_pin_in_the_back_office() {
    let site = Box::start(Furnished::Demo).await;
    let mut olga = site.owner().await;
    let mut elsewhere = site.owner().await;
    let form = |password| [("name", "Olga"), ("role", "owner"), ("pin", ""), ("password", password)];
    assert_eq!(olga.post("/office/staff/3", &form("short")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(olga.post("/office/staff/3", &form("Lindenblütentee")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(elsewhere.get("/office").await.location(), "/office/login", "her other sessions ended");
    assert_eq!(olga.get("/office").await.status, StatusCode::OK);
    let mut browser = site.browser();
    assert_eq!(browser.login("3", "9999").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(browser.login("3", "Lindenblütentee").await.status, StatusCode::SEE_OTHER);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_box_is_set_up_on_the_box_itself() {
    let site = Box::start(Furnished::Empty).await;
    let mut guest = site.browser();
    assert_eq!(guest.get("/office/login").await.location(), "/office/setup");
    let form = [("site", "Café Blau"), ("name", "Ida"), ("pin", "7391")];
    let mut lan = site.browser();
    lan.headers.push(("x-forwarded-for".into(), "127.0.0.1".into()));
    lan.from = "192.168.1.77".parse().unwrap();
    assert_ne!(lan.post_raw("/office/setup", "http://localhost", &form).await.status, StatusCode::SEE_OTHER);
    assert!(!site.server.site.ledger.till().has_owner(), "nobody takes the box over the network");

    // Nor by a web page that points its own name at the box and asks over TLS.
    let mut rebound = site.browser();
    (rebound.host, rebound.tls) = ("evil.example".into(), true);
    assert_eq!(rebound.get("/office/setup").await.status, StatusCode::FORBIDDEN);
    let taken = rebound.post_raw("/office/setup", "https://evil.example", &form).await;
    assert_eq!(taken.status, StatusCode::FORBIDDEN);
    assert!(!site.server.site.ledger.till().has_owner());

    let weak = [("site", "Café Blau"), ("name", "Ida"), ("pin", "12")];
    assert_eq!(
        guest.post_raw("/office/setup", "http://localhost", &weak).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(guest.post_raw("/office/setup", "http://evil", &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(guest.post_raw("/office/setup", "http://localhost", &form).await.location(), "/office");
    assert!(guest.get("/office").await.text().contains("Café Blau"));
    let again = site.browser().post_raw("/office/setup", "http://localhost", &form).await;
    assert_eq!(again.location(), "/office/login", "only once");
    site.stop().await;
}
