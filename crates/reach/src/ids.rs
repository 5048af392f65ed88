//! Connection ids for quinn, made of the handles that a relay granted. Until there are any, and again for whoever is reached directly, they are random.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quinn::{ConnectionId, ConnectionIdGenerator};
use tresen_path::{CID_BYTES, CidMaker, Handle};

/// The ids that an endpoint issues. Clones are the same ids: one goes into quinn's configuration, one stays with whoever hears of a grant.
#[derive(Clone, Debug, Default)]
pub struct OwnIds(Maker);

/// The first ids of connections to an edge server behind a relay.
#[derive(Clone, Debug, Default)]
pub struct EdgeIds(Maker);

type Maker = Arc<Mutex<Option<CidMaker>>>;

impl OwnIds {
    /// From now on, ids are made of these handles.
    pub fn set(&self, handles: &[Handle]) {
        set(&self.0, handles);
    }
}

impl EdgeIds {
    /// From now on, ids are made of these handles.
    pub fn set(&self, handles: &[Handle]) {
        set(&self.0, handles);
    }

    /// The next one, for `quinn::ClientConfig::initial_dst_cid_provider`.
    #[must_use]
    pub fn next(&self) -> ConnectionId {
        next(&self.0)
    }
}

impl ConnectionIdGenerator for OwnIds {
    fn generate_cid(&mut self) -> ConnectionId {
        next(&self.0)
    }

    fn cid_len(&self) -> usize {
        CID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

fn set(maker: &Maker, handles: &[Handle]) {
    *maker.lock().unwrap_or_else(PoisonError::into_inner) = CidMaker::new(handles.to_vec());
}

fn next(maker: &Maker) -> ConnectionId {
    match &mut *maker.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(maker) => ConnectionId::new(maker.make(rand::random()).as_bytes()),
        None => ConnectionId::new(&rand::random::<[u8; CID_BYTES]>()),
    }
}
