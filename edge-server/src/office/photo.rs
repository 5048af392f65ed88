//! Photos of products: taken from a form, brought into the one form that is kept, stored with the event that a product has it, and shown.
//!
//! A picture is the only thing that is larger than a form, so its body has a limit and a time of its own. It is read only once it is known
//! that an owner sends it ([`Uploads::read`] is called by the gate), and one at a time: a picture that is unpacked takes much memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Multipart, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tresen_ledger::{SubmitError, photo_id, photo_record};
use tresen_till::{Manage, PhotoId, Product, ProductId, Refusal};
use tresen_typeset::{ImageError, limits, normal_photo};

use super::gate::Visitor;
use super::page::Flash;
use super::texts::{Texts, put};
use super::{Office, file_of, refusals};

/// Largest picture, in megabytes, as the page says it.
pub(crate) const MAX_MEGABYTES: usize = limits::IMAGE_BYTES >> 20;
/// Largest body: a picture and its form.
pub(crate) const MAX_BODY_BYTES: usize = limits::IMAGE_BYTES + 16 * 1024;
/// What is read of a body that is too large, so that the browser gets to see why: it only listens when it was heard.
const MAX_HEARD_BYTES: usize = 8 * limits::IMAGE_BYTES;
/// How long a body may take, and the wait for the one before.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Where a picture is shown. The name is that of its bytes, so a browser may keep it.
pub(crate) fn address(photo: PhotoId) -> String {
    format!("/office/photos/{photo}")
}

/// Whether a request brings a picture.
pub(crate) fn is_upload(method: &Method, path: &str) -> bool {
    let product = path.strip_prefix("/office/catalogue/").and_then(|rest| rest.strip_suffix("/photo"));
    method == Method::POST && product.is_some_and(|id| id.parse::<u32>().is_ok())
}

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is too large.
    TooLarge,
    /// It took too long, or broke off.
    Broken,
}

/// The door for bodies with pictures: one after the other.
#[derive(Clone)]
pub(crate) struct Uploads(Arc<Semaphore>);

/// Whose turn it is. It goes along with the picture to where that is unpacked, so it also lasts when the browser has left meanwhile.
#[derive(Clone)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held, never looked at")] Arc<OwnedSemaphorePermit>);

impl Default for Uploads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Uploads {
    /// Reads a body whole.
    pub(crate) async fn read(&self, body: Body) -> Result<(Bytes, Turn), Unread> {
        let reading = async {
            let permit = self.0.clone().acquire_owned().await.map_err(|_| Unread::Broken)?;
            let bytes = read(body).await?;
            Ok((bytes, Turn(Arc::new(permit))))
        };
        tokio::time::timeout(TIMEOUT, reading).await.unwrap_or(Err(Unread::Broken))
    }
}

async fn read(body: Body) -> Result<Bytes, Unread> {
    let mut stream = body.into_data_stream();
    let (mut bytes, mut heard) = (Vec::new(), 0);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Unread::Broken)?;
        heard += chunk.len();
        if heard > MAX_HEARD_BYTES {
            return Err(Unread::TooLarge);
        }
        if heard > MAX_BODY_BYTES {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    if heard > MAX_BODY_BYTES { Err(Unread::TooLarge) } else { Ok(bytes.into()) }
}

/// The answer to a body that was not read: back to the product, with the reason there.
pub(crate) fn unread(office: &Office, visitor: &Visitor, unread: &Unread) -> Response {
    let (t, _) = visitor.texts();
    let reason = match unread {
        Unread::TooLarge => put(t.photo_too_large, MAX_MEGABYTES),
        Unread::Broken => t.photo_broken.to_owned(),
    };
    let to = visitor.path.strip_suffix("/photo").unwrap_or("/office/catalogue");
    visitor.go(office, to, Flash::failed(reason))
}

/// Takes a picture for a product.
pub(crate) async fn upload(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<u32>,
    Extension(turn): Extension<Turn>,
    form: Multipart,
) -> Response {
    let till = office.site.ledger.till();
    let Some(product) = till.catalog().product(ProductId(id)) else { return office.not_found(&visitor) };
    let (t, _) = visitor.texts();
    let stored = match file_of(form).await {
        Some(bytes) => store(&office, &visitor, product, bytes, turn).await,
        None => Err(t.photo_missing.to_owned()),
    };
    let flash = match stored {
        Ok(()) => Flash::done(put(t.photo_saved, &product.name)),
        Err(reason) => Flash::failed(reason),
    };
    visitor.go(&office, &format!("/office/catalogue/{id}"), flash)
}

/// Takes the photo of a product away.
pub(crate) async fn remove(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<u32>,
) -> Response {
    let (t, _) = visitor.texts();
    let change = Manage::SetPhoto { product: ProductId(id), photo: None };
    let flash = match office.manage(&visitor, vec![change], Vec::new()).await {
        Ok(()) => Flash::done(t.photo_removed),
        Err(SubmitError::Refused(Refusal::NoSuchProduct)) => return office.not_found(&visitor),
        Err(error) => Flash::failed(refusals::of_ledger(t, &error)),
    };
    visitor.go(&office, &format!("/office/catalogue/{id}"), flash)
}

/// A picture that a product has.
pub(crate) async fn show(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
) -> Response {
    let photo = PhotoId::from_hex(&name).and_then(|photo| office.site.ledger.photo(photo));
    let Some(bytes) = photo else { return office.not_found(&visitor) };
    let headers = [(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "private, max-age=31536000, immutable")];
    (StatusCode::OK, headers, bytes.to_vec()).into_response()
}

/// Unpacks on a thread where that disturbs nobody, and stores picture and event in one commit.
async fn store(
    office: &Office,
    visitor: &Visitor,
    product: &Product,
    bytes: Bytes,
    turn: Turn,
) -> Result<(), String> {
    let (t, _) = visitor.texts();
    let normal = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        normal_photo(&bytes)
    });
    // A decoder that panics is a hostile picture's doing and ends here.
    let normal = normal.await.unwrap_or_else(|_| Err(ImageError::Damaged("it can't be unpacked".into())));
    let picture = normal.map_err(|error| explain(t, &error))?;
    let change = Manage::SetPhoto { product: product.id, photo: Some(photo_id(&picture)) };
    let stored = office.manage(visitor, vec![change], vec![photo_record(picture)]).await;
    stored.map_err(|error| match error {
        SubmitError::Refused(Refusal::ListFull) => t.too_many_photos.to_owned(),
        other => refusals::of_ledger(t, &other).to_owned(),
    })
}

/// Why a picture was refused, in words for the page.
fn explain(t: &Texts, error: &ImageError) -> String {
    match error {
        ImageError::TooLarge { .. } => put(t.photo_too_large, MAX_MEGABYTES),
        ImageError::TooManyPixels { width, height } => put(
            &put(t.photo_too_many_pixels, format!("{width} × {height}")),
            limits::IMAGE_PIXELS / 1_000_000,
        ),
        ImageError::TooMuchMemory { .. } => t.photo_too_much_memory.to_owned(),
        ImageError::Unknown => t.photo_unknown.to_owned(),
        ImageError::Animated => t.photo_animated.to_owned(),
        ImageError::Damaged(_) | ImageError::Target(_) => t.photo_damaged.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_for_pictures_may_be_large() {
        assert!(is_upload(&Method::POST, "/office/catalogue/101/photo"));
        for path in [
            "/office/catalogue/x/photo",
            "/office/catalogue/101",
            "/office/catalogue/1/2/photo",
            "/office/licence",
        ] {
            assert!(!is_upload(&Method::POST, path), "{path}");
        }
        assert!(!is_upload(&Method::GET, "/office/catalogue/101/photo"));
    }

    #[tokio::test]
    async fn what_is_too_large_is_heard_but_not_kept() {
        let megabytes = |count| {
            Body::from_stream(futures_util::stream::iter(
                (0..count).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 1 << 20])),
            ))
        };
        assert_eq!(read(megabytes(3)).await.unwrap().len(), 3 << 20);
        assert!(matches!(read(megabytes(20)).await, Err(Unread::TooLarge)));
        assert!(matches!(read(megabytes(1_000_000)).await, Err(Unread::TooLarge)), "nor without an end");
    }
}
