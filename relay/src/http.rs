//! For operators: tenants, enrolments and revocations as JSON, metrics and health. On its own address, which is this machine alone unless configured otherwise.
//!
//! ```text
//! GET    /health                                  200 while the node works and takes newcomers; else 503 and why
//! GET    /metrics                                 Prometheus text
//! GET    /openapi.json                            this, for programs (OpenAPI 3.1)
//! GET    /v1/nodes                                [{ node, at }]: which of the relay's nodes take newcomers, as this one knows
//! GET    /v1/tenants                              [{ id, name, clients, connects_a_minute?, bytes_a_second?, edges: [..] }]
//! POST   /v1/tenants       { name, clients? }     { id, enrolment }
//! PUT    /v1/tenants/{id}/limits                  { clients?, connects_a_minute?, bytes_a_second? }: from now on, at each node; what is left out stays, and with 0 a rate is as for others
//! DELETE /v1/tenants/{id}                         out, with all that is theirs
//! POST   /v1/tenants/{id}/enrolments              { id, enrolment, warning? }: good for one edge server, for a day
//! DELETE /v1/tenants/{id}/edges/{edge}            out, with its devices
//! POST   /v1/tenants/{id}/edges/{edge}/revocations  { device }: out at once, and for as long as tokens live; for good its box says so
//! ```
//!
//! A change is answered with 201 or 204 when it is everywhere, and with 202 and a `warning` besides when it holds here but other nodes do not know of it (a
//! revocation without Redis), or the disk refuses it: it is written
//! later then.
//!
//! Everything under `/v1` wants `Authorization: Bearer <password>`; the password stands in the data folder's file `admin.door`.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tresen_identity::{Fingerprint, Secret, TenantId};
use tresen_path::{ClientName, EdgeName, Party, Revocation, Subject};
use tresen_reach::Enrolment;

use crate::common::NotChanged;
use crate::directory::DirectoryError;
use crate::limits::Rates;
use crate::node::Node;
use crate::openapi;
use crate::records::{Changed, Lacks};

/// Devices of a tenant at one node, when nothing else is said.
const CLIENTS: usize = 500;

/// What the handlers need.
pub struct Office {
    /// The node.
    pub node: Arc<Node>,
    /// Its name.
    pub name: Fingerprint,
    /// What opens `/v1`.
    pub password: Secret<16>,
}

/// A tenant, as the API shows it.
#[derive(Debug, Serialize, Deserialize)]
pub struct TenantView {
    /// Its id.
    pub id: String,
    /// What the operator calls it.
    pub name: String,
    /// How many devices it may have at one node.
    pub clients: usize,
    /// Admissions a minute, when it has an allowance of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connects_a_minute: Option<NonZeroU32>,
    /// Bytes a second, when it has an allowance of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_a_second: Option<NonZeroU32>,
    /// Its edge servers.
    pub edges: Vec<String>,
}

impl TenantView {
    /// In one line.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!(
            "{}  {}  ({} edge servers, {} devices",
            self.id,
            self.name,
            self.edges.len(),
            self.clients
        );
        if let Some(connects) = self.connects_a_minute {
            line.push_str(&format!(", {connects} connects a minute"));
        }
        if let Some(bytes) = self.bytes_a_second {
            line.push_str(&format!(", {bytes} bytes a second"));
        }
        line + " at each node)"
    }
}

/// What a tenant may do at each node; what is left out stays as it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantLimits {
    /// How many devices it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<usize>,
    /// Admissions a minute; 0: as for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connects_a_minute: Option<u32>,
    /// Bytes a second; 0: as for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_a_second: Option<u32>,
}

/// A node of the relay, and one of its addresses.
#[derive(Debug, Serialize)]
pub struct NodeView {
    /// Its number.
    pub node: u32,
    /// Where it is reached.
    pub at: String,
}

/// A tenant to be.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// What the operator calls it.
    pub name: String,
    /// How many devices it may have at one node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<usize>,
}

/// A new tenant, or a new enrolment of an old one. No `Debug`: it holds a secret.
#[derive(Serialize, Deserialize)]
pub struct Opened {
    /// The tenant.
    pub id: String,
    /// What `tresen-edge join` wants.
    pub enrolment: String,
    /// What the operator has to know of it besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// What the operator has to know of a change that was made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Warned {
    /// For people.
    pub warning: String,
}

/// Who is revoked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRevocation {
    /// A device.
    pub device: String,
}

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("no such {0}")]
    Unknown(&'static str),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    NotChanged(#[from] NotChanged),
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Unknown(_) | Self::Directory(DirectoryError::UnknownTenant(_)) => StatusCode::NOT_FOUND,
            Self::Directory(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotChanged(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, self.to_string()).into_response()
    }
}

/// All routes.
pub fn routes(office: Arc<Office>) -> Router {
    let api = Router::new()
        .route("/nodes", get(nodes))
        .route("/tenants", get(tenants).post(add_tenant))
        .route("/tenants/{tenant}", delete(remove_tenant))
        .route("/tenants/{tenant}/limits", put(limit))
        .route("/tenants/{tenant}/enrolments", post(open_enrolment))
        .route("/tenants/{tenant}/edges/{edge}", delete(remove_edge))
        .route("/tenants/{tenant}/edges/{edge}/revocations", post(revoke))
        .layer(from_fn_with_state(office.clone(), only_with_password));
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi::serve))
        .nest("/v1", api)
        .with_state(office)
}

async fn only_with_password(State(office): State<Arc<Office>>, request: Request, next: Next) -> Response {
    if opens(request.headers(), &office.password) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

fn opens(headers: &HeaderMap, password: &Secret<16>) -> bool {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).and_then(Secret::from_text);
    shown.is_some_and(|shown| shown.same_as(password))
}

async fn health(State(office): State<Arc<Office>>) -> (StatusCode, &'static str) {
    let node = &office.node;
    let wrong = if !node.is_well() {
        Some("the node's socket has failed")
    } else if node.is_leaving() {
        Some("the node is about to stop")
    } else if node.has_double() {
        Some("another node has this node's number")
    } else {
        None
    };
    wrong.map_or((StatusCode::OK, "ok"), |wrong| (StatusCode::SERVICE_UNAVAILABLE, wrong))
}

async fn metrics(State(office): State<Arc<Office>>) -> impl IntoResponse {
    let (edges, clients) = office.node.counts();
    let mut text = office.node.counters().text(edges, clients);
    if let Some(is_up) = office.node.has_common_directory() {
        let name = "tresen_relay_directory_up";
        text.push_str(&format!("# HELP {name} Whether Redis answers.\n# TYPE {name} gauge\n"));
        text.push_str(&format!("{name} {}\n", u8::from(is_up)));
    }
    let name = "tresen_relay_unsaved";
    text.push_str(&format!(
        "# HELP {name} Whether the disk refuses what has changed.\n# TYPE {name} gauge\n"
    ));
    text.push_str(&format!("{name} {}\n", u8::from(!office.node.is_saved())));
    text.push_str(&office.node.passes.text());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

async fn nodes(State(office): State<Arc<Office>>) -> Json<Vec<NodeView>> {
    let nodes = office.node.nodes().into_iter();
    Json(nodes.map(|node| NodeView { node: node.node.0, at: node.at.to_string() }).collect())
}

async fn tenants(State(office): State<Arc<Office>>) -> Json<Vec<TenantView>> {
    let directory = office.node.directory();
    let view = directory.tenants().map(|(id, tenant)| TenantView {
        id: id.to_string(),
        name: tenant.name.clone(),
        clients: tenant.clients,
        connects_a_minute: tenant.rates.connects_a_minute,
        bytes_a_second: tenant.rates.bytes_a_second,
        edges: tenant.edges.iter().map(ToString::to_string).collect(),
    });
    Json(view.collect())
}

async fn add_tenant(
    State(office): State<Arc<Office>>,
    Json(wish): Json<NewTenant>,
) -> Result<(StatusCode, Json<Opened>), Failed> {
    let id = TenantId::from_bytes(rand::random());
    let secret = Secret::new(rand::random());
    let (now_s, clients) = (office.node.clock.now_s(), wish.clients.unwrap_or(CLIENTS));
    let change = office.node.change_directory(|directory| {
        directory.add_tenant(id, &wish.name, clients)?;
        directory.open_enrolment(id, &secret, now_s)
    });
    let changed = change.await?;
    opened(&office, id, secret, changed)
}

async fn open_enrolment(
    State(office): State<Arc<Office>>,
    Path(tenant): Path<String>,
) -> Result<(StatusCode, Json<Opened>), Failed> {
    let id = tenant.parse().map_err(|_| Failed::Unknown("tenant"))?;
    let secret = Secret::new(rand::random());
    let now_s = office.node.clock.now_s();
    let change = office.node.change_directory(|directory| directory.open_enrolment(id, &secret, now_s));
    let changed = change.await?;
    opened(&office, id, secret, changed)
}

fn opened(
    office: &Office,
    tenant: TenantId,
    secret: Secret<32>,
    change: Changed<Result<(), DirectoryError>>,
) -> Result<(StatusCode, Json<Opened>), Failed> {
    change.result?;
    let warning = warning(&change.lacks);
    let status = if warning.is_some() { StatusCode::ACCEPTED } else { StatusCode::CREATED };
    let enrolment = Enrolment { node: office.name, secret }.to_text();
    Ok((status, Json(Opened { id: tenant.to_string(), enrolment, warning })))
}

/// The answer to a change of which there is nothing to say, unless it is not known everywhere.
fn done(lacks: &Lacks) -> Response {
    match warning(lacks) {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(warning) => (StatusCode::ACCEPTED, Json(Warned { warning })).into_response(),
    }
}

/// The answer to a removal. Of somebody who is gone already, because an earlier try came through, it may be left to say that this is not known everywhere.
fn taken_out(was_there: bool, lacks: &Lacks, what: &'static str) -> Result<Response, Failed> {
    if was_there || warning(lacks).is_some() { Ok(done(lacks)) } else { Err(Failed::Unknown(what)) }
}

fn warning(lacks: &Lacks) -> Option<String> {
    let disk = lacks.unsaved.as_ref().map(|error| {
        format!("the node's disk refuses it ({error}): it is written when the disk takes it, and a restart of the node before that would forget it")
    });
    let others = lacks.untold.as_ref().map(|error| {
        format!("the other nodes do not know of it ({error}): they hear of it when Redis is back")
    });
    let all: Vec<String> = disk.into_iter().chain(others).collect();
    (!all.is_empty()).then(|| format!("it is done, but {}", all.join("; and ")))
}

async fn limit(
    State(office): State<Arc<Office>>,
    Path(tenant): Path<String>,
    Json(wish): Json<TenantLimits>,
) -> Result<Response, Failed> {
    let id = tenant.parse().map_err(|_| Failed::Unknown("tenant"))?;
    let or_before = |wish: Option<u32>, before| wish.map_or(before, NonZeroU32::new);
    let change = office.node.change_directory(|directory| {
        let before = directory.rates_of(&id);
        let rates = Rates {
            connects_a_minute: or_before(wish.connects_a_minute, before.connects_a_minute),
            bytes_a_second: or_before(wish.bytes_a_second, before.bytes_a_second),
        };
        directory.limit(id, wish.clients.unwrap_or(directory.clients_of(&id)), rates)
    });
    let Changed { result, lacks } = change.await?;
    result?;
    Ok(done(&lacks))
}

async fn remove_tenant(
    State(office): State<Arc<Office>>,
    Path(tenant): Path<String>,
) -> Result<Response, Failed> {
    let id = tenant.parse().map_err(|_| Failed::Unknown("tenant"))?;
    let removing = office.node.take_out(Subject::Tenant(id), move |directory| directory.remove_tenant(id));
    let Changed { result: was_there, lacks } = removing.await?;
    taken_out(was_there, &lacks, "tenant")
}

async fn remove_edge(
    State(office): State<Arc<Office>>,
    Path((tenant, edge)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let edge = edge_name(&tenant, &edge)?;
    let subject = Subject::Party(Party::Edge(edge));
    let removing = office.node.take_out(subject, move |directory| directory.remove_edge(&edge));
    let Changed { result: was_there, lacks } = removing.await?;
    taken_out(was_there, &lacks, "edge server")
}

async fn revoke(
    State(office): State<Arc<Office>>,
    Path((tenant, edge)): Path<(String, String)>,
    Json(wish): Json<NewRevocation>,
) -> Result<Response, Failed> {
    let edge = edge_name(&tenant, &edge)?;
    if !office.node.directory().knows(&edge) {
        return Err(Failed::Unknown("edge server"));
    }
    let device = wish.device.parse().map_err(|_| Failed::Unknown("device"))?;
    let subject = Subject::Party(Party::Client(ClientName { edge, device }));
    let revoked = office.node.revoke(Revocation::of_all_tokens(office.node.clock.now_s(), subject)).await;
    tracing::info!(tenant = %edge.tenant, edge = %edge.edge.short(), device = %device.short(), "a device was revoked");
    Ok(done(&revoked.lacks))
}

fn edge_name(tenant: &str, edge: &str) -> Result<EdgeName, Failed> {
    let tenant = tenant.parse().map_err(|_| Failed::Unknown("tenant"))?;
    let edge = edge.parse().map_err(|_| Failed::Unknown("edge server"))?;
    Ok(EdgeName { tenant, edge })
}
