//! A browser without a screen: sends requests to a server's router as they would come over a connection.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, ETAG, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use tempfile::TempDir;
use tower::ServiceExt;
use tresen_edge::config::Config;
use tresen_edge::net::http;
use tresen_edge::net::tcp::{Peer, Via};
use tresen_edge::run::{RunOptions, Server, start};
use tresen_ledger::Options;
use tresen_wire::CloseCode;

/// Olga owns the demo.
pub const OLGA: (&str, &str) = ("3", "9999");

/// A running server in a folder of its own.
pub struct Box {
    pub server: Server,
    router: Router,
    _folder: TempDir,
}

/// Whether the Gasthaus Linde is open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Furnished {
    Demo,
    Empty,
}

impl Box {
    pub async fn start(furnished: Furnished) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data: folder.path().join("data"),
            port: 0,
            bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            mdns: false,
            ..Config::default()
        };
        let demo = furnished == Furnished::Demo;
        let options = RunOptions { config, demo, applications: None, ledger: Options::default() };
        let server = start(options).await.unwrap();
        let router = http::router(&server.site);
        Self { server, router, _folder: folder }
    }

    pub fn browser(&self) -> Browser {
        Browser::of(self.router.clone())
    }

    pub async fn owner(&self) -> Browser {
        let mut browser = self.browser();
        let answer = browser.login(OLGA.0, OLGA.1).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        browser
    }

    pub async fn stop(self) {
        self.server.finish(CloseCode::ServerStopping, "").await;
    }
}

/// Somebody's browser.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub from: IpAddr,
    /// What the address line names.
    pub host: String,
    /// Whether it comes over TLS.
    pub tls: bool,
    pub cookie: Option<String>,
    /// The token of the last page that had one.
    pub csrf: String,
    pub headers: Vec<(String, String)>,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |to| to.to_str().unwrap())
    }

    pub fn etag(&self) -> String {
        self.headers[ETAG].to_str().unwrap().to_owned()
    }
}

impl Browser {
    /// A browser on the server's own machine, in English.
    pub fn of(router: Router) -> Self {
        Self {
            router,
            from: IpAddr::V4(Ipv4Addr::LOCALHOST),
            host: "localhost".into(),
            tls: false,
            cookie: None,
            csrf: String::new(),
            headers: vec![("accept-language".into(), "en".into())],
        }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Posts a form, with the token of the last page.
    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        let mut form = form.to_vec();
        form.push(("csrf", &csrf));
        self.post_raw(path, "http://localhost", &form).await
    }

    /// Posts exactly this, from a page of `origin`.
    pub async fn post_raw(&mut self, path: &str, origin: &str, form: &[(&str, &str)]) -> Answer {
        let encoded: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        let request = self
            .request(Method::POST, path)
            .header(ORIGIN, origin)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(encoded.join("&")))
            .unwrap();
        self.send(request).await
    }

    /// Posts a file in a field called `file`.
    pub async fn upload(&mut self, path: &str, file: &str) -> Answer {
        self.upload_file(path, file.as_bytes()).await
    }

    /// Posts a file of any bytes in a field called `file`.
    pub async fn upload_file(&mut self, path: &str, file: &[u8]) -> Answer {
        let head = |head: &str| format!("--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        let token = format!("{}{}\r\n", head("name=\"csrf\""), self.csrf);
        let name = head("name=\"file\"; filename=\"a file\"");
        let body = [token.as_bytes(), name.as_bytes(), file, b"\r\n--edge--\r\n"].concat();
        let request = self
            .request(Method::POST, path)
            .header(ORIGIN, "http://localhost")
            .header(CONTENT_TYPE, "multipart/form-data; boundary=edge")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    pub async fn login(&mut self, staff: &str, pin: &str) -> Answer {
        let answer =
            self.post_raw("/office/login", "http://localhost", &[("staff", staff), ("pin", pin)]).await;
        if answer.status == StatusCode::SEE_OTHER {
            self.get("/office/staff/new").await;
        }
        answer
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.host);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.extension(Peer { address: (self.from, 50_000).into(), tls: self.tls, via: Via::Port })
    }

    async fn send(&mut self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        if let Some(set) = parts.headers.get(SET_COOKIE) {
            let set = set.to_str().unwrap();
            assert!(!set.contains("tresen_office") || set.contains("HttpOnly; SameSite=Strict"));
            self.cookie = Some(set.split(';').next().unwrap().to_owned());
        }
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        const FIELD: &str = "name=\"csrf\" value=\"";
        let text = answer.text();
        if let Some(at) = text.find(FIELD) {
            let rest = &text[at + FIELD.len()..];
            self.csrf = rest[..rest.find('"').unwrap()].to_owned();
        }
        answer
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => (byte as char).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
