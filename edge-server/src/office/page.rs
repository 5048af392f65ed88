//! The frame around every page: who is signed in, in which language, and what just happened.

use askama::Template;
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, COOKIE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use tresen_till::Language;

use super::texts::{Texts, texts};

/// The cookie that remembers a chosen language.
pub(crate) const LANGUAGE_COOKIE: &str = "tresen_language";

/// The pages of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Stations,
    Devices,
    Network,
    Licence,
    Staff,
    Catalogue,
    /// Outside of the navigation.
    Door,
}

/// What a page says about what was done before.
#[derive(Clone, Debug)]
pub(crate) struct Flash {
    pub(crate) kind: FlashKind,
    pub(crate) text: String,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlashKind {
    Done,
    Careful,
    Failed,
}

impl Flash {
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { kind: FlashKind::Done, text: text.into() }
    }

    pub(crate) fn careful(text: impl Into<String>) -> Self {
        Self { kind: FlashKind::Careful, text: text.into() }
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { kind: FlashKind::Failed, text: text.into() }
    }

    pub(crate) const fn look(&self) -> &'static str {
        match self.kind {
            FlashKind::Done => "good",
            FlashKind::Careful => "waits",
            FlashKind::Failed => "late",
        }
    }

    pub(crate) const fn icon(&self) -> &'static str {
        match self.kind {
            FlashKind::Done => "circle-check",
            FlashKind::Careful | FlashKind::Failed => "triangle-alert",
        }
    }
}

/// What every template has at hand.
pub(crate) struct Frame {
    pub(crate) t: &'static Texts,
    /// `de` or `en`.
    pub(crate) code: &'static str,
    pub(crate) language: Language,
    /// The site's name.
    pub(crate) site: String,
    /// Who is signed in.
    pub(crate) user: String,
    /// Whether that person may change anything.
    pub(crate) may_change: bool,
    pub(crate) csrf: String,
    pub(crate) flash: Option<Flash>,
    pub(crate) here: Place,
    /// Where a switch of language comes back to.
    pub(crate) path: String,
    /// Changes with the assets, so that browsers may keep them.
    pub(crate) version: String,
}

/// One entry of the navigation.
pub(crate) struct NavEntry {
    pub(crate) href: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) label: &'static str,
    pub(crate) here: bool,
}

impl Frame {
    pub(crate) fn nav(&self) -> [NavEntry; 7] {
        let entry = |place, href, icon, label| NavEntry { href, icon, label, here: self.here == place };
        [
            entry(Place::Overview, "/office", "layout-grid", self.t.overview),
            entry(Place::Catalogue, "/office/catalogue", "utensils", self.t.catalogue),
            entry(Place::Stations, "/office/stations", "store", self.t.stations),
            entry(Place::Devices, "/office/devices", "smartphone", self.t.devices),
            entry(Place::Network, "/office/network", "wifi", self.t.network),
            entry(Place::Licence, "/office/licence", "badge-check", self.t.licence),
            entry(Place::Staff, "/office/staff", "users", self.t.staff),
        ]
    }

    pub(crate) fn initial(&self) -> String {
        initial(&self.user)
    }

    pub(crate) fn language_link(&self, code: &str) -> String {
        format!("/office/language/{code}?back={}", self.path)
    }

    pub(crate) fn other_language_link(&self) -> String {
        self.language_link(if self.code == "de" { "en" } else { "de" })
    }

    pub(crate) fn other_language(&self) -> &'static str {
        if self.code == "de" { "EN" } else { "DE" }
    }

    pub(crate) const fn texts_of(language: Language) -> (&'static Texts, &'static str) {
        match language {
            Language::De => (texts(language), "de"),
            Language::En => (texts(language), "en"),
        }
    }
}

/// The first letter of a name, for its avatar.
pub(crate) fn initial(name: &str) -> String {
    name.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default()
}

/// Draws a template. A template that can't be drawn is a fault of ours: it is logged, and the visitor gets a plain 500.
pub(crate) fn draw(template: &impl Template) -> Response {
    draw_with(StatusCode::OK, template)
}

/// Draws a template under a status of its own.
pub(crate) fn draw_with(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the back office could not be drawn");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Draws a part of a page.
pub(crate) fn fragment(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a part of a page of the back office could not be drawn");
        String::new()
    })
}

/// The answer with a part of a page that refreshes itself. The browser is told when nothing has changed.
pub(crate) fn live_answer(headers: &HeaderMap, html: String) -> Response {
    let tag = format!("\"{}\"", &blake3::hash(html.as_bytes()).to_hex()[..24]);
    let head = [(ETAG, tag.clone()), (CACHE_CONTROL, "private, no-cache".into())];
    if headers.get(IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, Html(html)).into_response()
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The language of a visitor: chosen here, else the first that the browser likes of ours, else German.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(language_of);
    let liked = || {
        let list = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        list.split(',').find_map(|entry| language_of(entry.trim().split([';', '-']).next()?))
    };
    chosen.or_else(liked).unwrap_or(Language::De)
}

/// The language that a code names.
pub(crate) fn language_of(code: &str) -> Option<Language> {
    match code.to_ascii_lowercase().as_str() {
        "de" => Some(Language::De),
        "en" => Some(Language::En),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_chosen_language_wins_over_the_browsers() {
        assert_eq!(language(&headers(&[])), Language::De);
        assert_eq!(language(&headers(&[("accept-language", "fr-FR,en-GB;q=0.8,de;q=0.5")])), Language::En);
        let both = [("accept-language", "en"), ("cookie", "a=b; tresen_language=de")];
        assert_eq!(language(&headers(&both)), Language::De);
        assert_eq!(language(&headers(&[("cookie", "tresen_language=xx")])), Language::De);
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let given = headers(&[("cookie", "xoffice=1; office=2"), ("cookie", "other=3")]);
        assert_eq!(cookie(&given, "office"), Some("2"));
        assert_eq!(cookie(&given, "other"), Some("3"));
        assert_eq!(cookie(&given, "off"), None);
    }
}
