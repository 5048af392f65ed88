//! What a device sees while there is no seat for it: a screen that says so. As soon as a seat becomes free it is kept for the device,
//! which is sent off with "come again" and attaches to it.

use std::sync::Arc;
use std::time::Duration;

use tresen_identity::DeviceClass;
use tresen_mpos::ui::{self, Icon, Ink, Kit, Place, Type, column, icon, spacer, text};
use tresen_scene::{Node, Role};
use tresen_session::SenderEvent;
use tresen_wire::{CloseCode, Hello, Language, Look};

use crate::instance::Link;
use crate::instance::session::{Heard, Session};
use crate::registry::Device;
use crate::site::Site;

/// How often a seat is looked for when nobody says that one became free (a kept one does so without a word).
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Shows a device that there is no seat, until one is free or it leaves.
pub async fn wait(site: &Arc<Site>, device: &Device, hello: Hello, link: Link) {
    tracing::info!(device = %device.id.short(), class = %device.class, "no free seat");
    let mut registry = site.registry.watch();
    let mut hub = site.hub.watch();
    let mut tick = tokio::time::interval(LOOK_AGAIN);
    let id = tresen_wire::SessionId(rand::random());
    let mut session = Session::new(site.namer.clone(), id, device.id, 1, rand::random(), hello.look);
    session.connect(site.clock.now_ms(), &hello, link);
    session.show(screen(site, &session.look, device.class));
    while session.is_connected() {
        session.flush(site.clock.now_ms());
        tokio::select! {
            message = session.receive() => hear(site, &mut session, message.as_deref(), device.class),
            _ = registry.changed() => {}
            _ = hub.changed() => {}
            _ = tick.tick() => session.handle_timeout_if_due(site.clock.now_ms()),
            () = site.shutdown.cancelled() => {
                session.leave(site.clock.now_ms(), CloseCode::ServerStopping, "");
            }
        }
        let snapshot = site.registry.snapshot();
        let now_ms = site.clock.now_ms();
        match snapshot.devices.get(&device.id).filter(|device| !device.revoked) {
            None => session.leave(now_ms, CloseCode::Revoked, CloseCode::Revoked.reason()),
            Some(device) if site.hub.reserve(&snapshot, device, now_ms) => {
                session.leave(now_ms, CloseCode::Normal, "a seat is free");
            }
            Some(_) => {}
        }
    }
}

fn hear(site: &Site, session: &mut Session, message: Option<&[u8]>, class: DeviceClass) {
    match session.handle(site.clock.now_ms(), message) {
        Heard::Event(SenderEvent::Look(look)) => {
            session.look = look;
            session.show(screen(site, &look, class));
        }
        Heard::Event(SenderEvent::Input { number, .. }) => session.acknowledge(number),
        Heard::Event(SenderEvent::Bye(_)) | Heard::Nothing | Heard::Gone => {}
    }
}

fn screen(site: &Site, look: &Look, class: DeviceClass) -> Arc<Node> {
    let kit: Kit = crate::look::kit(&site.typesetter, look);
    let (title, reason, what_next) = words(look.language, class);
    let content = column()
        .gap(12)
        .child(spacer())
        .child(icon(Icon::Armchair).side(48).ink(Ink::Muted))
        .child(text(Type::Title, title).role(Role::Heading))
        .child(text(Type::Body, reason).role(Role::Text).lines(4))
        .child(text(Type::Body, what_next).role(Role::Text).muted().lines(6))
        .child(spacer())
        .pad(ui::EDGE);
    ui::render(&kit, crate::look::size(look), content)
}

fn words(language: Language, class: DeviceClass) -> (&'static str, &'static str, &'static str) {
    match (language, class) {
        (Language::De, DeviceClass::Mpos) => (
            "Kein Platz frei",
            "Alle lizenzierten Plätze für Handgeräte sind belegt.",
            "Sobald ein Platz frei wird, geht es hier von selbst weiter. Der Inhaber kann im Backoffice Geräte abmelden oder Plätze hinzufügen.",
        ),
        (Language::De, DeviceClass::Paypos) => (
            "Kein Platz frei",
            "Alle lizenzierten Plätze für Zahlterminals sind belegt.",
            "Sobald ein Platz frei wird, geht es hier von selbst weiter. Der Inhaber kann im Backoffice Geräte abmelden oder Plätze hinzufügen.",
        ),
        (Language::En, DeviceClass::Mpos) => (
            "No free seat",
            "All licensed seats for handhelds are taken.",
            "This screen goes on by itself as soon as a seat is free. The owner can remove devices or add seats in the back office.",
        ),
        (Language::En, DeviceClass::Paypos) => (
            "No free seat",
            "All licensed seats for payment terminals are taken.",
            "This screen goes on by itself as soon as a seat is free. The owner can remove devices or add seats in the back office.",
        ),
    }
}
