//! Photos that nobody has scaled yet, seen by an instance step by step.

use std::sync::Arc;

use tresen_mpos::ui::{self, Kit, Picture, Scale, Theme};
use tresen_mpos::{Effect, Habit, Memory, World};
use tresen_scene::{Action, Namer, Node, Op};
use tresen_session::Receiver;
use tresen_till::ProductId;
use tresen_typeset::Typesetter;
use tresen_wire::{GuessKind, Input, Look};

use super::super::bench::{Bench, Phone, device};
use crate::application::{AppInput, Application, Applications, Foreseen};
use crate::config::Prediction;
use crate::darkroom::Darkroom;

/// So small that the bytes saved up for guesses are enough for a photo.
const LOOK: Look = Look { width_px: 300, ..crate::look::DEFAULT };

/// Shows so many drinks of the demo; every tap shows one more.
#[derive(Clone)]
struct Shelf {
    typesetter: Arc<Typesetter>,
    drinks: u32,
}

impl Applications for Shelf {
    fn create(&self) -> Box<dyn Application> {
        Box::new(self.clone())
    }

    fn load(&self, _saved: &[u8]) -> Option<Box<dyn Application>> {
        None
    }
}

impl Application for Shelf {
    fn message(&mut self, _world: &World<'_>, input: AppInput) -> Vec<Effect> {
        self.drinks += u32::from(matches!(input, AppInput::Input(_)));
        Vec::new()
    }

    fn view(&self, world: &World<'_>, look: &Look) -> Arc<Node> {
        let kit = Kit::new(self.typesetter.clone(), Theme::Light, Scale::from_hundredths(look.scale_100))
            .developing(world.photos.developing());
        let tiles = (101..101 + self.drinks).map(|drink| {
            let photo = world.till.photo(ProductId(drink)).unwrap();
            let picture = Picture::new(photo.0, world.photos.photo(photo).unwrap());
            ui::tile("Drink", "1", Action::new(&[1])).photo(picture)
        });
        ui::render(&kit, crate::look::size(look), ui::grid(6).children(tiles))
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn guess(&self, world: &World<'_>, _input: &Input) -> Option<Foreseen> {
        let app = Box::new(Self { drinks: self.drinks + 1, ..self.clone() });
        Some(Foreseen { app, till: world.till.clone(), kind: GuessKind::Answer })
    }

    fn habit(&self, _input: &Input) -> Option<Habit> {
        Some(Habit { screen: 1, kind: 1, what: Some(1), prior: 1.0, memory: Memory::Counted })
    }
}

/// A phone before a shelf of so many drinks.
async fn shelf(drinks: u32, prediction: Prediction) -> (Bench, Phone, Arc<Typesetter>) {
    let typesetter = Typesetter::new(Namer::new([0; 32]));
    let apps = Arc::new(Shelf { typesetter: typesetter.clone(), drinks });
    let mut bench = Bench::with(apps).await;
    let around = Arc::get_mut(&mut bench.instance.around).unwrap();
    (around.prediction, around.darkroom) = (prediction, Darkroom::new(typesetter.clone()));
    let mut receiver = Receiver::new(LOOK, None);
    receiver.set_guesses(96);
    let phone = Phone::connect(&mut bench, device(2), receiver).await;
    (bench, phone, typesetter)
}

fn photos(node: &Node) -> usize {
    let of = |op: &Op| {
        usize::from(matches!(op, Op::Sprite { .. })) + op.children().map(|node| photos(node)).sum::<usize>()
    };
    node.ops().iter().map(of).sum()
}

fn shown(phone: &Phone) -> usize {
    photos(phone.receiver.root().unwrap())
}

async fn bring(bench: &mut Bench, phone: &mut Phone) {
    let photos = bench.instance.lacking.arrive().await;
    bench.instance.photos_arrived(photos);
    phone.exchange(bench);
}

/// Promise: a screen is never held up by photos that nobody has scaled yet: it is shown without them, and once more when all of them are there.
#[tokio::test]
async fn a_screen_waits_for_no_photo() {
    let (mut bench, mut phone, _) = shelf(6, Prediction::Off).await;
    assert_eq!(shown(&phone), 0, "the first frame scaled photos");
    bring(&mut bench, &mut phone).await;
    assert_eq!(shown(&phone), 6, "one redraw brings all");
    assert!(bench.instance.lacking.ordered.is_none() && bench.instance.render_due_ms.is_none());
    bench.instance.render();
    assert!(bench.instance.lacking.ordered.is_none(), "and they are there from then on");
}

/// Promise: who goes on to another screen gets its photos; what is ordered already is not ordered again.
#[tokio::test]
async fn the_screen_that_is_shown_is_the_one_that_gets_photos() {
    let (mut bench, mut phone, _) = shelf(2, Prediction::Off).await;
    bench.instance.render();
    let wanted = |bench: &Bench| bench.instance.lacking.ordered.as_ref().map(|order| order.wanted.len());
    assert_eq!(wanted(&bench), Some(2));
    phone.receiver.input(0, Input::Tap(Action::new(&[1]))).unwrap();
    phone.exchange(&mut bench);
    assert_eq!((wanted(&bench), shown(&phone)), (Some(3), 0));
    bring(&mut bench, &mut phone).await;
    assert_eq!(shown(&phone), 3);
}

/// Promise: a picture that makes a decoder panic is tried once, and its screen goes on without it.
#[tokio::test]
async fn a_picture_that_breaks_the_decoder_is_no_loop() {
    let (mut bench, mut phone, typesetter) = shelf(1, Prediction::Off).await;
    bring(&mut bench, &mut phone).await;
    // A panic drops the order's end.
    bench.instance.app = Box::new(Shelf { typesetter: typesetter.clone(), drinks: 2 });
    bench.instance.render();
    let (dropped, ready) = tokio::sync::oneshot::channel();
    bench.instance.lacking.ordered.as_mut().unwrap().ready = Some(ready);
    drop(dropped);
    bring(&mut bench, &mut phone).await;
    let order = bench.instance.lacking.ordered.as_ref().unwrap();
    assert!(order.wanted.len() == 1 && order.ready.is_none(), "it is ordered again");
    assert_eq!((shown(&phone), bench.instance.render_due_ms), (1, None));
}

/// Promise: what is tried ahead scales no photos; it is tried with those that are there.
#[tokio::test]
async fn a_guess_scales_nothing() {
    let (mut bench, mut phone, typesetter) = shelf(1, Prediction::Always).await;
    bring(&mut bench, &mut phone).await;
    assert!(bench.instance.has_ideas());
    while bench.instance.has_ideas() {
        bench.instance.guess();
    }
    phone.exchange(&mut bench);
    assert_eq!(phone.receiver.guesses_held(), 0, "a guess lacks a photo that the screen will have");
    let next = Shelf { typesetter: typesetter.clone(), drinks: 2 };
    let lacking = |bench: &mut Bench| {
        bench.instance.with_world(&LOOK, |_, world| next.view(world, &LOOK));
        bench.instance.lacking.taken()
    };
    let missing = lacking(&mut bench);
    assert_eq!(missing.len(), 1, "the try has scaled the other photo");
    typesetter.scale(&missing[0]).unwrap();
    bench.instance.guess_again();
    while bench.instance.has_ideas() {
        bench.instance.guess();
    }
    phone.exchange(&mut bench);
    assert!(phone.receiver.guesses_held() > 0, "with all photos there it is sent");
}
