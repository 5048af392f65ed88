//! Live pictures of what the instances show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Extension, Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tresen_scene::{ObjectId, Size};

use super::Office;
use super::gate::Visitor;
use crate::instance::{Handle, Shown};
use crate::look;
use crate::picture::{self, PictureError};

/// Width of a picture: twice what the page gives it, for dense displays.
const WIDTH_PX: i32 = 264;

/// How long an instance may take to draw its screen.
const PATIENCE: Duration = Duration::from_millis(500);

/// Photos that are not scaled by then are left out: less than a picture may take.
const PHOTO_PATIENCE: Duration = Duration::from_millis(300);

/// Largest screen that is painted for a picture: beyond every handheld, and bearable for a server.
const LARGEST_PX: i64 = 4 << 20;

/// The newest picture of each instance.
pub(crate) struct Thumbnails {
    by_station: Mutex<HashMap<u16, Thumbnail>>,
    /// One picture is painted at a time, however many ask.
    painting: Semaphore,
}

impl Default for Thumbnails {
    fn default() -> Self {
        Self { by_station: Mutex::default(), painting: Semaphore::new(1) }
    }
}

#[derive(Clone)]
struct Thumbnail {
    of: ObjectId,
    png: Arc<[u8]>,
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    v: Option<String>,
    /// The screen pixel for pixel, not a small picture of it.
    full: Option<String>,
}

/// A picture as PNG; the browser keeps it as long as its address names the screen that it shows.
pub(crate) async fn show(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u16>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let Some(handle) = office.site.hub.instance(number) else { return office.not_found(&visitor) };
    let Some(shown) = screen(&handle).await else { return StatusCode::NOT_FOUND.into_response() };
    let version = version(&shown);
    let tag = format!("\"{version}\"");
    if headers.get(IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    let lasting = wanted.v.as_deref() == Some(version.as_str());
    let (png, cache) = if wanted.full.is_some() {
        let width_px = shown.size.w;
        (office.thumbnails.paint(shown, width_px).await, "no-store")
    } else {
        let cache = if lasting { "private, max-age=600, immutable" } else { "private, no-cache" };
        (office.thumbnails.get(number, shown).await, cache)
    };
    match png {
        Ok(png) => {
            let head = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, cache), (ETAG, tag.as_str())];
            (head, png.to_vec()).into_response()
        }
        Err(error) => {
            tracing::error!(station = number, %error, "no picture of an instance");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What an instance shows, or would show if a handheld came.
pub(crate) async fn screen(handle: &Handle) -> Option<Shown> {
    if handle.status.attached().is_some()
        && let Some(shown) = handle.status.shown()
        && i64::from(shown.size.w) * i64::from(shown.size.h) <= LARGEST_PX
    {
        return Some(shown);
    }
    let root =
        tokio::time::timeout(PATIENCE, handle.picture(look::DEFAULT, PHOTO_PATIENCE)).await.ok().flatten()?;
    Some(Shown { root, size: look::size(&look::DEFAULT) })
}

/// Changes with the screen.
pub(crate) fn version(shown: &Shown) -> String {
    data_encoding::HEXLOWER.encode(&shown.root.id().0)
}

/// The size of a screen's picture.
pub(crate) fn size(shown: &Shown) -> Size {
    picture::scaled(shown.size, WIDTH_PX)
}

impl Thumbnails {
    /// The small picture of a screen, painted when it is not the one that was painted last.
    async fn get(&self, number: u16, shown: Shown) -> Result<Arc<[u8]>, PictureError> {
        let of = shown.root.id();
        if let Some(known) = self.all().get(&number).filter(|known| known.of == of) {
            return Ok(known.png.clone());
        }
        let png = self.paint(shown, WIDTH_PX).await?;
        self.all().insert(number, Thumbnail { of, png: png.clone() });
        Ok(png)
    }

    /// A screen as the reference rasteriser paints it, at most `width_px` wide.
    async fn paint(&self, shown: Shown, width_px: i32) -> Result<Arc<[u8]>, PictureError> {
        let _turn = self.painting.acquire().await.expect("nobody closes it");
        let painted = tokio::task::spawn_blocking(move || {
            picture::thumbnail(&picture::paint(&shown.root, shown.size)?, width_px)
        });
        match painted.await {
            Ok(png) => Ok(png?.into()),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<u16, Thumbnail>> {
        self.by_station.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
