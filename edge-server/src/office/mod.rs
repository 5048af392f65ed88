//! The back office: web pages for the owner.

use std::sync::Arc;

use axum::Router;

use crate::site::Site;

/// Its pages; merged into the server's router.
pub fn router(_site: Arc<Site>) -> Router {
    Router::new()
}
