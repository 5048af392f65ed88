//! Who may use the relay: tenants, and the edge servers that are enrolled with them.
//!
//! An operator makes a tenant and gets a secret for one edge server; whoever shows it first, is enrolled. The secret itself is not kept.
//! The whole directory is one JSON file, written anew after each change.
//!
//! Invariants: an edge server belongs to one tenant; a secret enrols one edge server, and the same one again when it did not hear the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZeroU32;
use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tresen_identity::{Fingerprint, Secret, TenantId};
use tresen_path::EdgeName;

use crate::data::write_whole;
use crate::limits::Rates;

/// How long a secret for an edge server is good, in seconds.
pub const ENROLMENT_LIFETIME_S: u64 = 24 * 60 * 60;

/// Secrets that may be open at a time, of one tenant.
const OPEN_ENROLMENTS: usize = 64;

/// Longest name of a tenant, in characters.
const MAX_NAME_CHARS: usize = 80;

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// What the operator calls it.
    pub name: String,
    /// How many devices it may have at one node.
    pub clients: usize,
    /// What it may do at one node, if that is not what others may.
    pub rates: Rates,
    /// Its edge servers.
    pub edges: BTreeSet<Fingerprint>,
}

/// Tenants and edge servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    tenants: BTreeMap<TenantId, Tenant>,
    /// By a hash of the secret.
    enrolments: BTreeMap<[u8; 32], Enrolment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Enrolment {
    tenant: TenantId,
    expires_s: u64,
    used_by: Option<Fingerprint>,
}

/// Why the directory was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DirectoryError {
    /// No such tenant.
    #[error("there is no tenant {0}")]
    UnknownTenant(TenantId),
    /// No name, or too long a one.
    #[error("a tenant's name has 1 to {MAX_NAME_CHARS} characters")]
    Name,
    /// Too many secrets wait to be used.
    #[error("the tenant has {OPEN_ENROLMENTS} open enrolments: use one of them, or wait a day")]
    TooManyEnrolments,
    /// Never given out, used by another edge server, or too old.
    #[error("the enrolment secret is unknown, was used by another edge server, or is older than a day")]
    Secret,
    /// It belongs to somebody.
    #[error("the edge server is enrolled with another tenant")]
    OtherTenant,
}

/// A file of the data folder can't be read.
#[derive(Debug, Error)]
#[error("{file} can't be used: {why}", file = path.display())]
pub struct Damaged {
    path: std::path::PathBuf,
    why: String,
}

impl Damaged {
    /// A file, and what is wrong with it.
    pub(crate) fn new(path: &Path, why: String) -> Self {
        Self { path: path.to_owned(), why }
    }
}

impl Directory {
    /// Makes a tenant.
    ///
    /// # Errors
    /// When the name does not serve.
    pub fn add_tenant(&mut self, id: TenantId, name: &str, clients: usize) -> Result<(), DirectoryError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
            return Err(DirectoryError::Name);
        }
        self.tenants.insert(
            id,
            Tenant { name: name.to_owned(), clients, rates: Rates::default(), edges: BTreeSet::new() },
        );
        Ok(())
    }

    /// Lets whoever shows `secret` first be an edge server of the tenant.
    ///
    /// # Errors
    /// When there is no such tenant, or too many secrets are open.
    pub fn open_enrolment(
        &mut self,
        tenant: TenantId,
        secret: &Secret<32>,
        now_s: u64,
    ) -> Result<(), DirectoryError> {
        if !self.tenants.contains_key(&tenant) {
            return Err(DirectoryError::UnknownTenant(tenant));
        }
        self.enrolments.retain(|_, enrolment| enrolment.expires_s > now_s);
        if self.enrolments.values().filter(|enrolment| enrolment.tenant == tenant).count() >= OPEN_ENROLMENTS
        {
            return Err(DirectoryError::TooManyEnrolments);
        }
        let expires_s = now_s.saturating_add(ENROLMENT_LIFETIME_S);
        self.enrolments.insert(hash(secret), Enrolment { tenant, expires_s, used_by: None });
        Ok(())
    }

    /// Whether a secret may serve; what that is, [`Self::enrol`] finds out.
    #[must_use]
    pub fn has_enrolment(&self, secret: &Secret<32>, now_s: u64) -> bool {
        self.enrolments.get(&hash(secret)).is_some_and(|enrolment| enrolment.expires_s > now_s)
    }

    /// Enrols an edge server, which has proven its key; with whom.
    ///
    /// # Errors
    /// When the secret does not serve, or it belongs to another tenant.
    pub fn enrol(
        &mut self,
        secret: &Secret<32>,
        edge: Fingerprint,
        now_s: u64,
    ) -> Result<TenantId, DirectoryError> {
        let found = self.enrolments.get_mut(&hash(secret));
        let usable = |enrolment: &&mut Enrolment| {
            enrolment.expires_s > now_s && enrolment.used_by.is_none_or(|user| user == edge)
        };
        let enrolment = found.filter(usable).ok_or(DirectoryError::Secret)?;
        let tenant = enrolment.tenant;
        let owner = owner_of(&self.tenants, &edge);
        if owner.is_some_and(|owner| owner != tenant) {
            return Err(DirectoryError::OtherTenant);
        }
        enrolment.used_by = Some(edge);
        let owner = self.tenants.get_mut(&tenant).ok_or(DirectoryError::UnknownTenant(tenant))?;
        owner.edges.insert(edge);
        Ok(tenant)
    }

    /// Takes a tenant out, with its edge servers and secrets. Whether it was there.
    pub fn remove_tenant(&mut self, tenant: TenantId) -> bool {
        self.enrolments.retain(|_, enrolment| enrolment.tenant != tenant);
        self.tenants.remove(&tenant).is_some()
    }

    /// Takes an edge server out, with the secret that it used. Whether it was there.
    pub fn remove_edge(&mut self, edge: &EdgeName) -> bool {
        self.enrolments.retain(|_, enrolment| enrolment.used_by != Some(edge.edge));
        self.tenants.get_mut(&edge.tenant).is_some_and(|tenant| tenant.edges.remove(&edge.edge))
    }

    /// Whether an edge server is enrolled with the tenant that it names.
    #[must_use]
    pub fn knows(&self, edge: &EdgeName) -> bool {
        self.tenants.get(&edge.tenant).is_some_and(|tenant| tenant.edges.contains(&edge.edge))
    }

    /// All edge servers.
    pub fn edges(&self) -> impl Iterator<Item = EdgeName> {
        let tenants = self.tenants.iter();
        tenants.flat_map(|(id, tenant)| tenant.edges.iter().map(|edge| EdgeName { tenant: *id, edge: *edge }))
    }

    /// With whom an edge server is enrolled.
    #[must_use]
    pub fn owner_of(&self, edge: &Fingerprint) -> Option<TenantId> {
        owner_of(&self.tenants, edge)
    }

    /// How many devices a tenant may have at one node.
    #[must_use]
    pub fn clients_of(&self, tenant: &TenantId) -> usize {
        self.tenants.get(tenant).map_or(0, |tenant| tenant.clients)
    }

    /// What a tenant may do at one node, as far as that is its own.
    #[must_use]
    pub fn rates_of(&self, tenant: &TenantId) -> Rates {
        self.tenants.get(tenant).map_or(Rates::default(), |tenant| tenant.rates)
    }

    /// Sets what a tenant may do at one node.
    ///
    /// # Errors
    /// When there is no such tenant.
    pub fn limit(&mut self, id: TenantId, clients: usize, rates: Rates) -> Result<(), DirectoryError> {
        let tenant = self.tenants.get_mut(&id).ok_or(DirectoryError::UnknownTenant(id))?;
        (tenant.clients, tenant.rates) = (clients, rates);
        Ok(())
    }

    /// All tenants.
    pub fn tenants(&self) -> impl Iterator<Item = (&TenantId, &Tenant)> {
        self.tenants.iter()
    }

    /// Reads the file; without one, the directory is empty.
    ///
    /// # Errors
    /// When it can't be read or is damaged.
    pub fn load(path: &Path) -> Result<Self, Damaged> {
        let damaged = |why: String| Damaged::new(path, why);
        match std::fs::read(path) {
            Ok(bytes) => Self::decode(&bytes).map_err(damaged),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(damaged(error.to_string())),
        }
    }

    /// As JSON.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(&Stored::of(self)).expect("numbers and text are JSON")
    }

    /// From [`Self::encode`].
    ///
    /// # Errors
    /// With what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let stored: Stored = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        stored.directory().ok_or_else(|| "a name in it is none".to_owned())
    }

    /// Writes the file: a machine that loses power has the old one, or the new one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        write_whole(path, &self.encode())
    }
}

fn owner_of(tenants: &BTreeMap<TenantId, Tenant>, edge: &Fingerprint) -> Option<TenantId> {
    tenants.iter().find(|(_, tenant)| tenant.edges.contains(edge)).map(|(id, _)| *id)
}

fn hash(secret: &Secret<32>) -> [u8; 32] {
    blake3::derive_key("tresen relay enrolment v1", secret.expose())
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    tenants: Vec<StoredTenant>,
    enrolments: Vec<StoredEnrolment>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredTenant {
    id: String,
    name: String,
    clients: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connects_a_minute: Option<NonZeroU32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes_a_second: Option<NonZeroU32>,
    edges: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredEnrolment {
    /// A hash of the secret, base32.
    hash: String,
    tenant: String,
    expires_s: u64,
    used_by: Option<String>,
}

const VERSION: u32 = 1;

impl Stored {
    fn of(directory: &Directory) -> Self {
        let tenant = |(id, tenant): (&TenantId, &Tenant)| StoredTenant {
            id: id.to_string(),
            name: tenant.name.clone(),
            clients: tenant.clients,
            connects_a_minute: tenant.rates.connects_a_minute,
            bytes_a_second: tenant.rates.bytes_a_second,
            edges: tenant.edges.iter().map(ToString::to_string).collect(),
        };
        let enrolment = |(hash, enrolment): (&[u8; 32], &Enrolment)| StoredEnrolment {
            hash: Secret::new(*hash).to_text(),
            tenant: enrolment.tenant.to_string(),
            expires_s: enrolment.expires_s,
            used_by: enrolment.used_by.map(|edge| edge.to_string()),
        };
        Self {
            version: VERSION,
            tenants: directory.tenants.iter().map(tenant).collect(),
            enrolments: directory.enrolments.iter().map(enrolment).collect(),
        }
    }

    fn directory(&self) -> Option<Directory> {
        let mut directory = Directory::default();
        for stored in &self.tenants {
            let edges: Result<BTreeSet<Fingerprint>, _> =
                stored.edges.iter().map(|edge| edge.parse()).collect();
            let rates =
                Rates { connects_a_minute: stored.connects_a_minute, bytes_a_second: stored.bytes_a_second };
            let (name, clients) = (stored.name.clone(), stored.clients);
            let tenant = Tenant { name, clients, rates, edges: edges.ok()? };
            directory.tenants.insert(stored.id.parse().ok()?, tenant);
        }
        for stored in &self.enrolments {
            let used_by = stored.used_by.as_deref().map(str::parse).transpose().ok()?;
            let (tenant, expires_s) = (stored.tenant.parse().ok()?, stored.expires_s);
            let hash = *Secret::<32>::from_text(&stored.hash)?.expose();
            directory.enrolments.insert(hash, Enrolment { tenant, expires_s, used_by });
        }
        (self.version == VERSION).then_some(directory)
    }
}

#[cfg(test)]
mod tests;
