//! Instances don't notice each other's trouble.

use std::sync::Arc;

use tresen_edge::application::{AppInput, Application, Applications};
use tresen_edge::instance::State;
use tresen_mpos::ui::{self, Kit, Type};
use tresen_mpos::{Effect, World as AppWorld};
use tresen_scene::Node;
use tresen_typeset::Typesetter;
use tresen_wire::{Input, Key, Look};

use crate::client::{Client, loopback};
use crate::world::World;

/// Counts digits; F1 makes it panic.
struct Fragile {
    typesetter: Arc<Typesetter>,
    digits: u8,
}

struct Fragiles(Arc<Typesetter>);

impl Applications for Fragiles {
    fn create(&self) -> Box<dyn Application> {
        Box::new(Fragile { typesetter: self.0.clone(), digits: 0 })
    }

    fn load(&self, saved: &[u8]) -> Option<Box<dyn Application>> {
        Some(Box::new(Fragile { typesetter: self.0.clone(), digits: *saved.first()? }))
    }
}

impl Application for Fragile {
    fn message(&mut self, _world: &AppWorld<'_>, input: AppInput) -> Vec<Effect> {
        match input {
            AppInput::Input(Input::Key(Key::Digit(_))) => self.digits += 1,
            AppInput::Input(Input::Key(Key::Function(1))) => panic!("as the test wishes"),
            _ => {}
        }
        Vec::new()
    }

    fn view(&self, _world: &AppWorld<'_>, look: &Look) -> Arc<Node> {
        let kit: Kit = tresen_edge::look::kit(&self.typesetter, look);
        let text = ui::text(Type::Title, format!("{} digits", self.digits));
        ui::render(
            &kit,
            tresen_edge::look::size(look),
            ui::Place::named(text, format!("{} digits", self.digits)),
        )
    }

    fn save(&self) -> Vec<u8> {
        vec![self.digits]
    }
}

/// Promise: an instance that panics is started again where its last mark left it, and nobody else notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_stays_with_its_instance() {
    let world = World::with(Some(Box::new(|typesetter| Arc::new(Fragiles(typesetter))))).await;
    let mut broken = Client::tab(world.port(), 1).await;
    broken.see("0 digits").await;
    let mut other = Client::tab(world.port(), 2).await;
    other.see("0 digits").await;
    broken.send(Input::Key(Key::Digit(5)));
    broken.see("1 digits").await;
    broken.until("the mark", |client| client.receiver.unacknowledged() == 0).await;

    broken.send(Input::Key(Key::Function(1)));
    let receiver = broken.gone().await;
    other.send(Input::Key(Key::Digit(5)));
    other.see("1 digits").await;
    assert!(other.closed.is_none());

    // The key that made it panic was never acknowledged. It comes again with the session, so this device is another one.
    drop(receiver);
    let handle = world.server.site.hub.instance(1).unwrap();
    assert_eq!(handle.status.panics.load(std::sync::atomic::Ordering::Relaxed), 1);
    let mut again = Client::new(loopback(world.port(), 1).await);
    again.see("1 digits").await;
    assert_eq!(handle.status.state(), State::Running);
}
