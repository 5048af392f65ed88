//! The reference till as an application of the real hub.

use std::sync::Arc;

use tresen_edge::application::{AppInput, Application, Applications};
use tresen_mpos::{Effect, World};
use tresen_scene::Node;
use tresen_typeset::Typesetter;
use tresen_wire::{Input, Look};

use super::model::{Model, Press};
use super::view::View;

/// Makes reference tills; all share what never changes on their screens.
pub struct ReferenceTills {
    view: Arc<View>,
}

struct ReferenceTill {
    model: Model,
    view: Arc<View>,
}

impl ReferenceTills {
    /// Tills that draw with `typesetter`.
    pub fn new(typesetter: Arc<Typesetter>) -> Self {
        Self { view: Arc::new(View::new(typesetter)) }
    }
}

impl Applications for ReferenceTills {
    fn create(&self) -> Box<dyn Application> {
        Box::new(ReferenceTill { model: Model::default(), view: self.view.clone() })
    }

    fn load(&self, saved: &[u8]) -> Option<Box<dyn Application>> {
        let model = postcard::from_bytes(saved).ok()?;
        Some(Box::new(ReferenceTill { model, view: self.view.clone() }))
    }
}

impl Application for ReferenceTill {
    fn message(&mut self, _world: &World<'_>, input: AppInput) -> Vec<Effect> {
        if let AppInput::Input(Input::Tap(action)) = input
            && let Some(press) = Press::parse(action.bytes())
        {
            self.model.press(press);
        }
        Vec::new()
    }

    fn view(&self, _world: &World<'_>, _look: &Look) -> Arc<Node> {
        self.view.root(&self.model)
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.model).expect("a model can be written")
    }
}
