//! What the reference till costs in bytes, on a line without a network: the same figures each time, so a test can hold them.

use std::sync::Arc;

use tresen_client::{Client, Path, Pointer};
use tresen_loadtest::reference::model::{Model, Press};
use tresen_loadtest::reference::script::{self, SEEDS};
use tresen_loadtest::reference::view::{SIZE, View};
use tresen_loadtest::screen::figures::{PassBytes, Tap, pass_bytes};
use tresen_scene::{Canvas, Namer, Point, Rect, ScrollOffsets};
use tresen_session::{Sender, SenderEvent};
use tresen_typeset::Typesetter;
use tresen_wire::{Input, Language, Look, SessionId, Theme, ToServer};

const LOOK: Look =
    Look { width_px: 720, height_px: 1280, scale_100: 100, theme: Theme::Light, language: Language::En };

/// A till and a client with a line of no length between them.
struct Bench {
    view: View,
    model: Model,
    sender: Sender,
    client: Client,
}

impl Bench {
    fn new() -> Self {
        let namer = Namer::new([7; 32]);
        let view = View::new(Typesetter::new(namer.clone()));
        let sender = Sender::new(namer, SessionId([1; 16]), 1, 1, [9; 16]);
        Self { view, model: Model::default(), sender, client: Client::new(LOOK) }
    }

    /// Connects, and returns the bytes until the line is silent.
    fn connect(&mut self) -> u64 {
        self.client.connected(0, Path::Direct);
        let hello = self.client.poll_transmit(0).expect("a client begins with its hello");
        let Ok(ToServer::Hello(hello)) = ToServer::decode(&hello) else { panic!("no hello") };
        self.sender.connect(0, &hello).expect("the versions fit");
        self.sender.show(self.view.root(&self.model));
        self.exchange()
    }

    fn disconnect(&mut self) {
        self.client.disconnected(0);
        self.sender.disconnect(0);
    }

    fn tap(&mut self, at: Point) -> Tap {
        self.client.pointer(0, 0, Pointer::Down(at));
        self.client.pointer(0, 0, Pointer::Up(at));
        let payload_bytes = self.exchange();
        let shown = self.client.root().map(|root| root.id());
        assert_eq!(shown, Some(self.view.root(&self.model).id()), "the tap's screen is there");
        Tap { payload_bytes, ..Tap::default() }
    }

    /// Carries messages until there are none; returns the bytes to the client.
    fn exchange(&mut self) -> u64 {
        let mut bytes = 0;
        loop {
            let mut quiet = true;
            while let Some(message) = self.client.poll_transmit(0) {
                quiet = false;
                if let Some(event) =
                    self.sender.handle(0, &message).expect("the client keeps to the protocol")
                {
                    self.hear(event);
                }
            }
            while let Some(message) = self.sender.poll_transmit(0) {
                quiet = false;
                bytes += message.len() as u64;
                self.client.handle(0, &message).expect("the server keeps to the protocol");
            }
            if quiet {
                return bytes;
            }
        }
    }

    fn hear(&mut self, event: SenderEvent) {
        let SenderEvent::Input { number, input: Input::Tap(action) } = event else { return };
        self.model.press(Press::parse(action.bytes()).expect("an action of this till"));
        self.sender.acknowledge_input(number);
        self.sender.show(self.view.root(&self.model));
    }

    fn pass(&mut self, seeds: &[u32]) -> PassBytes {
        let taps: Vec<Tap> = script::taps(seeds).into_iter().map(|at| self.tap(at)).collect();
        pass_bytes(&taps)
    }

    /// Whether the client's canvas is what the reference rasteriser paints of the server's screen.
    fn is_pixel_equal(&mut self) -> bool {
        self.client.paint(0);
        let mut canvas = Canvas::new(SIZE);
        let root: Arc<_> = self.view.root(&self.model);
        canvas.paint(&root, &[Rect::of_size(SIZE)], &ScrollOffsets::default(), None);
        let shown = self.client.root().map(|root| root.id());
        shown == Some(root.id()) && differing_pixels(&canvas, self.client.canvas()) <= DOT_PIXELS
    }
}

/// The link dot is the client's own.
const DOT_PIXELS: usize = 12 * 12;

fn differing_pixels(one: &Canvas, other: &Canvas) -> usize {
    one.pixels().iter().zip(other.pixels()).filter(|(one, other)| one != other).count()
}

/// Proves the targets for bytes (`docs/BENCHMARKS.md`, Screen): first screen, first pass, repeat pass, reconnection.
#[test]
fn bytes_stay_within_their_targets() {
    for seeds in [SEEDS, OTHER_SEEDS] {
        let mut bench = Bench::new();
        let first_screen = bench.connect();
        let first = bench.pass(&seeds);
        let repeat = bench.pass(&seeds);
        bench.disconnect();
        let reconnect = bench.connect();
        println!(
            "{seeds:?}: first screen {first_screen} B, reconnect {reconnect} B\n  {first:?}\n  {repeat:?}"
        );
        assert!(first_screen <= 16 * 1024, "first screen: {first_screen} B");
        assert!(first.mean_bytes <= 250.0 && first.median_bytes <= 80.0, "first pass: {first:?}");
        assert!(repeat.mean_bytes <= 24.0 && repeat.median_bytes <= 16.0, "repeat pass: {repeat:?}");
        assert!(reconnect <= 500, "reconnection: {reconnect} B");
    }
}

/// Seeds that nobody tuned anything for.
const OTHER_SEEDS: [u32; 3] = [2, 3, 5];

/// Proves that a client shows exactly what the reference rasteriser paints, after every tap.
#[test]
fn every_screen_is_pixel_equal() {
    let mut bench = Bench::new();
    bench.connect();
    for at in script::taps(&SEEDS[..1]) {
        bench.tap(at);
        assert!(bench.is_pixel_equal(), "after the tap at {at:?}");
    }
}
