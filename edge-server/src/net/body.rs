//! Bodies of requests: read whole, within a limit and a time, before anybody works on them. A peer that drips its body holds nothing but its
//! own connection, and that not for long.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONNECTION, UPGRADE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::office;

/// Longest body of any request but an upload, in bytes. Pages have smaller limits of their own.
const MAX_BYTES: usize = 64 * 1024;

/// How long a body may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Reads the body of a request that asks for no other protocol.
pub async fn read_whole(request: Request, next: Next) -> Response {
    read_within(TIMEOUT, request, next).await
}

async fn read_within(timeout: Duration, request: Request, next: Next) -> Response {
    let upgrades = request.method() == Method::GET && request.headers().contains_key(UPGRADE);
    // A picture is too large to be read for just anybody: the office reads it when it knows whose it is.
    if upgrades || office::is_upload(request.method(), request.uri().path()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(timeout, to_bytes(body, MAX_BYTES)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(_)) => closing(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => closing(StatusCode::REQUEST_TIMEOUT),
    }
}

fn closing(status: StatusCode) -> Response {
    (status, [(CONNECTION, HeaderValue::from_static("close"))]).into_response()
}

#[cfg(test)]
mod tests {
    use axum::routing::post;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    use super::*;

    async fn status_of(body: Body) -> StatusCode {
        let router = Router::new()
            .route("/", post(async |body: String| body.len().to_string()))
            .layer(middleware::from_fn(|request, next| read_within(Duration::ZERO, request, next)));
        router.oneshot(Request::post("/").body(body).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        let never = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        assert_eq!(status_of(never).await, StatusCode::REQUEST_TIMEOUT);
        assert_eq!(status_of(Body::from(vec![b'a'; MAX_BYTES + 1])).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(status_of(Body::from("fine")).await, StatusCode::OK);
    }
}
