//! The gate before every page: is somebody signed in who may be here, and does a change come from our own page?
//!
//! Invariants:
//! - nothing behind the gate runs without a live session of an owner or manager; the till is asked anew with every request;
//! - a manager looks; only an owner changes anything;
//! - no request that changes anything runs unless it carries the session's token and comes from this origin. The gate checks
//!   that, not the handlers, so that none can forget it;
//! - no body is read before it is known who sends it.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tresen_identity::Secret;
use tresen_till::{Language, Permission};

use super::Office;
use super::page::{self, Flash, Place};
use super::photo;
use super::session::{Opened, Use};
use super::texts::Texts;
use super::views::MessagePage;
use crate::net::tcp::Peer;

/// The cookie of a session.
pub(crate) const SESSION_COOKIE: &str = "tresen_office";

/// Largest body of a request: a licence file and its form. Only pictures may be larger; see [`photo`].
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What pages may load, and where they may send: here only, and no inline script or style.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Marks requests of htmx.
const HX_REQUEST: &str = "hx-request";

/// Who sent a request that passed the gate.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) session: Opened,
    pub(crate) name: String,
    /// Whether this is an owner; a manager only looks.
    pub(crate) may_change: bool,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

/// Lets a request pass, or sends it away.
pub(crate) async fn gate(State(office): State<Office>, request: Request, next: Next) -> Response {
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    let tls = request.extensions().get::<Peer>().is_some_and(|peer| peer.tls);
    if changes && !from_this_origin(request.headers(), tls) {
        return refused(&office, request.headers());
    }
    let Some(visitor) = visitor(&office, &request, changes) else {
        return to_login(request.headers());
    };
    if changes && !visitor.may_change && request.uri().path() != "/office/logout" {
        return only_owners(&office, &visitor);
    }
    let (mut parts, mut body) = request.into_parts();
    if changes {
        let read = if photo::is_upload(&parts.method, parts.uri.path()) {
            match office.uploads.read(body).await {
                Ok((bytes, turn)) => {
                    parts.extensions.insert(turn);
                    Some(bytes)
                }
                Err(unread) => return photo::unread(&office, &visitor, &unread),
            }
        } else {
            to_bytes(body, MAX_BODY_BYTES).await.ok()
        };
        match read.filter(|bytes| carries_token(&parts.headers, bytes, &visitor.session.csrf)) {
            Some(bytes) => body = Body::from(bytes),
            None => return refused(&office, &parts.headers),
        }
    }
    parts.extensions.insert(visitor);
    next.run(Request::from_parts(parts, body)).await
}

/// Headers that every page of the back office carries.
pub(crate) async fn guard_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    set(REFERRER_POLICY, "same-origin");
    set(CACHE_CONTROL, "no-store");
    response
}

/// Whether a request that changes something comes from a page of this server.
pub(crate) fn from_this_origin(headers: &HeaderMap, tls: bool) -> bool {
    let scheme = if tls { "https" } else { "http" };
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    match headers.get(ORIGIN) {
        Some(origin) => {
            let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
            origin.is_some_and(|origin| {
                let authority = origin.authority().map(|authority| authority.as_str());
                origin.scheme_str() == Some(scheme)
                    && authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
            })
        }
        None => headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
    }
}

/// Who sent it, when that is somebody with a live session who may still come in.
fn visitor(office: &Office, request: &Request, changes: bool) -> Option<Visitor> {
    let headers = request.headers();
    let token = page::cookie(headers, SESSION_COOKIE)?;
    let refresh = !changes && headers.contains_key(HX_REQUEST);
    let by = if refresh { Use::Refresh } else { Use::Person };
    let session = office.sessions.open(office.site.clock.now_ms(), token, by)?;
    let Some(staff) = office.insider(session.staff) else {
        office.sessions.end(&session.name);
        return None;
    };
    Some(Visitor {
        session,
        name: staff.name.to_string(),
        may_change: staff.role.may(Permission::ManageSite),
        path: request.uri().path().to_owned(),
        headers: headers.clone(),
    })
}

/// Whether a body carries the token.
fn carries_token(headers: &HeaderMap, body: &[u8], token: &Secret<32>) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    posted_token(kind, body).and_then(Secret::from_text).is_some_and(|shown| token.same_as(&shown))
}

/// The token in a posted form. It consists of letters and digits, so no form encodes it.
fn posted_token<'a>(kind: &str, body: &'a [u8]) -> Option<&'a str> {
    let text_after = |start: usize| {
        let rest = &body[start..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        std::str::from_utf8(&rest[..length]).ok()
    };
    if kind.starts_with("application/x-www-form-urlencoded") {
        let mut start = 0;
        for pair in body.split(|byte| *byte == b'&') {
            if pair.starts_with(b"csrf=") {
                return text_after(start + b"csrf=".len());
            }
            start += pair.len() + 1;
        }
        None
    } else if kind.starts_with("multipart/form-data") {
        const FIELD: &[u8] = b"name=\"csrf\"\r\n\r\n";
        let at = body.windows(FIELD.len()).position(|window| window == FIELD)?;
        text_after(at + FIELD.len())
    } else {
        None
    }
}

fn to_login(headers: &HeaderMap) -> Response {
    if headers.contains_key(HX_REQUEST) {
        return [("hx-redirect", "/office/login")].into_response();
    }
    Redirect::to("/office/login").into_response()
}

/// The answer to a request that did not come from one of our pages.
pub(crate) fn refused(office: &Office, headers: &HeaderMap) -> Response {
    let frame = office.door(headers, None);
    let (heading, hint) = (frame.t.refused.to_owned(), frame.t.refused_hint.to_owned());
    page::draw_with(StatusCode::FORBIDDEN, &MessagePage { frame, heading, hint })
}

fn only_owners(office: &Office, visitor: &Visitor) -> Response {
    let frame = office.door(&visitor.headers, None);
    let (heading, hint) = (frame.t.refused.to_owned(), frame.t.only_owners.to_owned());
    page::draw_with(StatusCode::FORBIDDEN, &MessagePage { frame, heading, hint })
}

impl Visitor {
    /// The frame of one of the pages.
    pub(crate) fn frame(&self, office: &Office, here: Place) -> page::Frame {
        let language = page::language(&self.headers);
        let (t, code) = page::Frame::texts_of(language);
        page::Frame {
            t,
            code,
            language,
            site: office.site_name(),
            user: self.name.clone(),
            may_change: self.may_change,
            csrf: self.session.csrf.to_text(),
            flash: office.sessions.take(&self.session.name),
            here,
            path: self.path.clone(),
            version: super::assets::version().to_owned(),
        }
    }

    /// The texts in this visitor's language, and its code.
    pub(crate) fn texts(&self) -> (&'static Texts, &'static str) {
        page::Frame::texts_of(self.language())
    }

    /// This visitor's language.
    pub(crate) fn language(&self) -> Language {
        page::language(&self.headers)
    }

    /// Goes to another page, with a message there.
    pub(crate) fn go(&self, office: &Office, to: &str, flash: Flash) -> Response {
        office.sessions.leave(&self.session.name, flash);
        Redirect::to(to).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        let from = |origin| from_this_origin(&headers(&[("host", "box:7843"), ("origin", origin)]), true);
        assert!(from("https://box:7843"));
        assert!(!from("http://box:7843"), "another scheme");
        assert!(!from("https://box"), "another port");
        assert!(!from("https://evil.example"));
        assert!(!from("null"));
        let bare = |pairs: &[_]| from_this_origin(&headers(pairs), false);
        assert!(!bare(&[("host", "box:7843")]), "who says nothing is not believed");
        assert!(bare(&[("host", "box:7843"), ("sec-fetch-site", "same-origin")]));
        assert!(!bare(&[("host", "box:7843"), ("sec-fetch-site", "cross-site")]));
        assert!(!bare(&[("origin", "http://box:7843")]));
    }

    #[test]
    fn the_token_is_found_in_both_kinds_of_forms() {
        let form = "application/x-www-form-urlencoded";
        assert_eq!(posted_token(form, b"name=a&csrf=k7q2&pin=1"), Some("k7q2"));
        assert_eq!(posted_token(form, b"xcsrf=k7q2"), None);
        assert_eq!(posted_token("text/plain", b"csrf=k7q2"), None);
        let parts = b"--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nk7q2\r\n--x--\r\n";
        assert_eq!(posted_token("multipart/form-data; boundary=x", parts), Some("k7q2"));
        assert_eq!(posted_token("multipart/form-data; boundary=x", b"--x--"), None);
    }
}
