//! What is said at a place at a node of the relay: who calls and who comes, who is revoked, where browsers come, and which nodes there are.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tresen_identity::{Admission, Fingerprint, KeyPair, RelayRoute, TokenId};
use tresen_path::{FromNode, MAX_REVOKED, NodeAt, NodeId, ToNode};
use tresen_reach::{Control, ControlFailed};

use super::let_in::LetIn;
use super::places::Nodes;
use super::{hear_of_public, may_call, now_s};
use crate::site::Site;

/// From one message about revoked devices to the next: the relay takes no more from anybody.
const REVOCATION_PAUSE: Duration = Duration::from_secs(1);

/// What is said at a place.
pub(super) struct Talk<'a> {
    pub(super) site: &'a Site,
    pub(super) route: &'a RelayRoute,
    pub(super) key: &'a KeyPair,
    pub(super) nodes: &'a watch::Sender<Nodes>,
    /// Of the place.
    pub(super) number: usize,
}

impl Talk<'_> {
    /// Until the node says that it leaves.
    pub(super) async fn answer_calls(
        &self,
        control: &mut Control,
        let_in: &mut LetIn,
    ) -> Result<(), ControlFailed> {
        let mut changes = self.site.registry.watch();
        // Somebody may have been revoked while this server was not there, or have been told into the void.
        let_in.come_back();
        let_in.notice(Instant::now(), now_s(), &self.site.registry.snapshot().devices);
        let mut not_before = Instant::now();
        loop {
            let due = let_in.due().map(|due| due.max(not_before));
            let heard = tokio::select! {
                heard = control.hear() => heard?,
                Ok(()) = changes.changed() => {
                    let_in.notice(Instant::now(), now_s(), &self.site.registry.snapshot().devices);
                    continue;
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.tell_revoked(control, let_in).await?;
                    not_before = Instant::now() + REVOCATION_PAUSE;
                    continue;
                }
            };
            match heard {
                FromNode::Call(device, at) => self.answer(control, let_in, device, at).await?,
                FromNode::Client(device, at) => {
                    tracing::debug!(device = %device.short(), %at, "a device comes through the relay");
                    self.site.relay.vouch(device, at);
                }
                FromNode::Public(place) => hear_of_public(self.site, self.route, place),
                FromNode::Nodes { here, nodes } => self.hear_nodes(here, nodes),
                FromNode::Leaving => return Ok(()),
                FromNode::Refused => return Err(ControlFailed::Closed),
                FromNode::Joined(_) | FromNode::Granted { .. } => {}
            }
        }
    }

    /// Says who is revoked, as many as fit into a message.
    async fn tell_revoked(&self, control: &mut Control, let_in: &mut LetIn) -> Result<(), ControlFailed> {
        let Some((until_s, devices)) = let_in.revoked(Instant::now(), MAX_REVOKED) else { return Ok(()) };
        tracing::info!(devices = devices.len(), "the relay is told who is revoked");
        control.say(&ToNode::Revoke { devices, until_s }).await
    }

    fn hear_nodes(&self, here: NodeId, told: Vec<NodeAt>) {
        self.nodes.send_if_modified(|nodes| {
            let before = nodes.clone();
            nodes.told = told;
            if let Some(taken) = &mut nodes.taken[self.number] {
                taken.node = Some(here);
            }
            *nodes != before
        });
    }

    async fn answer(
        &self,
        control: &mut Control,
        let_in: &mut LetIn,
        device: Fingerprint,
        at: SocketAddr,
    ) -> Result<(), ControlFailed> {
        let Some(lifetime_s) = may_call(self.site, device, at.ip()) else {
            tracing::debug!(device = %device.short(), "a device that is not paired called through the relay");
            return control.say(&ToNode::TurnAway(device)).await;
        };
        let_in.put(device, now_s(), &self.site.registry.snapshot());
        let token = Admission {
            tenant: self.route.tenant,
            edge: self.site.name,
            device,
            issued_s: now_s(),
            lifetime_s,
            id: TokenId(rand::random()),
        };
        control.say(&ToNode::Let(Box::new(token.sign(self.key)))).await
    }
}
