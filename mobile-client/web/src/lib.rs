//! The thin client in a browser: `tresen-client` behind plain calls for the scripts in `www/`.
//!
//! The scripts own the page, the WebSocket, the keys and the timers; everything that is decided is decided in `tresen-client`. Times are
//! `performance.now()` in ms, lengths are device pixels. Lists of numbers are flat.

mod outline;

use tresen_client::{Backoff, Client, Event, KeyPress, Link, Path, Pointer};
use tresen_scene::{Keyboard, Point};
use tresen_wire::{Language, Look, Theme, limits};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::outline::FlatOutline;

/// A page's client.
#[wasm_bindgen]
pub struct Handheld {
    client: Client,
    backoff: Backoff,
    /// Since when there is a connection.
    connected_ms: Option<u64>,
    outline: FlatOutline,
}

/// Runs once when the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

#[wasm_bindgen]
impl Handheld {
    /// A client for a canvas of this size. `theme` is `dark` or `light`, `language` a language tag such as `de-AT`.
    #[wasm_bindgen(constructor)]
    pub fn new(width: u32, height: u32, pixel_ratio: f64, theme: &str, language: &str) -> Self {
        let look = look(width, height, pixel_ratio, theme, language);
        Self {
            client: Client::new(look),
            backoff: Backoff::default(),
            connected_ms: None,
            outline: FlatOutline::default(),
        }
    }

    /// The canvas, the theme or the language has changed.
    pub fn look(&mut self, width: u32, height: u32, pixel_ratio: f64, theme: &str, language: &str) {
        self.client.set_look(look(width, height, pixel_ratio, theme, language));
    }

    /// The WebSocket is open. `way` is `passed` where a relay passes it on.
    pub fn connected(&mut self, now: f64, way: &str) {
        self.connected_ms = Some(ms(now));
        let path = if way == "passed" { Path::Passed } else { Path::Direct };
        self.client.connected(ms(now), path);
    }

    /// The WebSocket is closed. Returns how long to wait before the next one, in ms; `random` is any number.
    pub fn disconnected(&mut self, now: f64, random: u32) -> f64 {
        self.client.disconnected(ms(now));
        let lasted_ms = self.connected_ms.take().map_or(0, |since| ms(now).saturating_sub(since));
        self.backoff.next_wait_ms(lasted_ms, random) as f64
    }

    /// A message has arrived. `false`: it was malformed, close the WebSocket.
    pub fn handle(&mut self, now: f64, message: &[u8]) -> bool {
        self.client.handle(ms(now), message).is_ok()
    }

    /// The next message to send.
    pub fn transmit(&mut self, now: f64) -> Option<Vec<u8>> {
        self.client.poll_transmit(ms(now))
    }

    /// When [`Handheld::timed_out`] is to be called.
    pub fn timeout(&self) -> Option<f64> {
        self.client.poll_timeout().map(|at| at as f64)
    }

    /// Time has passed. `false`: the server is silent, close the WebSocket.
    pub fn timed_out(&mut self, now: f64) -> bool {
        self.client.handle_timeout(ms(now)).is_ok()
    }

    /// A pointer came down.
    pub fn pointer_down(&mut self, now: f64, pointer: u32, x: i32, y: i32) {
        self.client.pointer(ms(now), pointer, Pointer::Down(Point::new(x, y)));
    }

    /// A pointer moved.
    pub fn pointer_move(&mut self, now: f64, pointer: u32, x: i32, y: i32) {
        self.client.pointer(ms(now), pointer, Pointer::Move(Point::new(x, y)));
    }

    /// A pointer left.
    pub fn pointer_up(&mut self, now: f64, pointer: u32, x: i32, y: i32) {
        self.client.pointer(ms(now), pointer, Pointer::Up(Point::new(x, y)));
    }

    /// A pointer was taken away.
    pub fn pointer_cancel(&mut self, now: f64, pointer: u32) {
        self.client.pointer(ms(now), pointer, Pointer::Cancel);
    }

    /// The wheel turned.
    pub fn wheel(&mut self, x: i32, y: i32, dy: i32) {
        self.client.wheel(Point::new(x, y), dy);
    }

    /// A key went down, named as in `KeyboardEvent.key`. Returns whether it is one for the client.
    pub fn key(&mut self, now: f64, key: &str) -> bool {
        let mut characters = key.chars();
        let press = match (key, characters.next(), characters.next()) {
            ("Enter", ..) => KeyPress::Enter,
            ("Escape" | "BrowserBack" | "GoBack", ..) => KeyPress::Back,
            ("Backspace" | "Delete", ..) => KeyPress::Erase,
            (_, Some(character), None) => KeyPress::Character(character),
            _ => return false,
        };
        self.client.key(ms(now), press);
        true
    }

    /// Whether an Enter now may end a scan.
    pub fn is_scanning(&self) -> bool {
        self.client.is_scanning()
    }

    /// Brings the canvas up to date: the rectangles that changed, four numbers each.
    pub fn paint(&mut self, now: f64) -> Vec<i32> {
        self.client.paint(ms(now)).into_iter().flat_map(|rect| [rect.x, rect.y, rect.w, rect.h]).collect()
    }

    /// Where the canvas stands in the module's memory: four bytes a pixel, as `ImageData` has them, good until the next call.
    pub fn pixels(&self) -> *const u32 {
        self.client.canvas().pixels().as_ptr()
    }

    /// Whether something moves by itself.
    pub fn is_moving(&self) -> bool {
        self.client.is_moving()
    }

    /// Whether there is a screen.
    pub fn has_screen(&self) -> bool {
        self.client.root().is_some()
    }

    /// The name of the screen, in hex; empty when there is none.
    pub fn root_id(&self) -> String {
        let bytes = self.client.root().map(|root| root.id().0);
        bytes.iter().flatten().map(|byte| format!("{byte:02x}")).collect()
    }

    /// `direct`, `relayed`, `slow` or `away`.
    pub fn link(&self, now: f64) -> String {
        let name = match self.client.link(ms(now)) {
            Link::Direct | Link::Internet => "direct",
            Link::Relayed => "relayed",
            Link::Passed => "passed",
            Link::Slow => "slow",
            Link::Away => "away",
        };
        name.to_owned()
    }

    /// What a developer wants to see, in one line.
    pub fn report(&self, now: f64) -> String {
        self.client.report(ms(now)).to_string()
    }

    /// Inputs that the server has not confirmed yet.
    pub fn unacknowledged(&self) -> usize {
        self.client.unacknowledged()
    }

    /// Those of them that the server has not answered in any way: for these a person waits.
    pub fn unanswered(&self) -> usize {
        self.client.unanswered()
    }

    /// What the script should know: `editing`, `status`, `full`, or `closed <number> <retry|stay> <text>`.
    pub fn event(&mut self) -> Option<String> {
        Some(match self.client.poll_event()? {
            Event::EditingChanged => "editing".into(),
            Event::StatusAsked => "status".into(),
            Event::Full => "full".into(),
            Event::Closed { code, text } => {
                let then = if code.retries() { "retry" } else { "stay" };
                format!("closed {} {then} {text}", code.number())
            }
        })
    }

    /// Looks at the screen again; afterwards the outline's parts are what they are now.
    pub fn refresh_outline(&mut self) {
        self.outline = FlatOutline::of(&self.client.outline());
    }

    /// The lists that scroll, six numbers each: x, y, w, h, height of the content, offset.
    pub fn outline_areas(&self) -> Vec<i32> {
        self.outline.areas.clone()
    }

    /// The things with names, eight numbers each: kind (0 touch, 1 field, 2 label), role, list or -1, x, y, w, h, and state (1 selected,
    /// 2 disabled) or keyboard.
    pub fn outline_items(&self) -> Vec<i32> {
        self.outline.items.clone()
    }

    /// Their names.
    pub fn outline_labels(&self) -> Vec<String> {
        self.outline.labels.clone()
    }

    /// The texts of fields, and nothing for other things.
    pub fn outline_values(&self) -> Vec<String> {
        self.outline.values.clone()
    }

    /// Assistive technology presses the thing with this place in the outline.
    pub fn activate(&mut self, now: f64, item: usize) {
        if let Some(action) = self.outline.actions.get(item).cloned().flatten() {
            self.client.activate(ms(now), &action);
        }
    }

    /// Assistive technology scrolls the list with this place in the outline.
    pub fn scroll_to(&mut self, area: usize, offset: i32) {
        if let Some(action) = self.outline.area_actions.get(area).cloned() {
            self.client.scroll_to(&action, offset);
        }
    }

    /// The field with this place in the outline has the focus.
    pub fn begin_editing(&mut self, item: usize) {
        if let Some(action) = self.outline.actions.get(item).cloned().flatten() {
            self.client.begin_editing(&action);
        }
    }

    /// The text of the field that is edited.
    pub fn edit(&mut self, now: f64, text: &str) {
        self.client.edit(ms(now), text);
    }

    /// The field lost the focus.
    pub fn end_editing(&mut self) {
        self.client.end_editing();
    }

    /// The place in the outline of the field that is edited, or -1.
    pub fn edited_item(&self) -> i32 {
        let Some(editing) = self.client.editing() else { return -1 };
        let wanted = Some(editing.field.action);
        let place = self.outline.actions.iter().position(|action| *action == wanted);
        place.map_or(-1, |place| place as i32)
    }
}

fn ms(now: f64) -> u64 {
    now as u64
}

fn look(width: u32, height: u32, pixel_ratio: f64, theme: &str, language: &str) -> Look {
    let (least, most) = limits::SCREEN_SIDE_PX;
    let (smallest, largest) = limits::SCALE_100;
    Look {
        width_px: width.clamp(least, most),
        height_px: height.clamp(least, most),
        scale_100: ((pixel_ratio * 100.0).round() as u16).clamp(smallest, largest),
        theme: if theme == "dark" { Theme::Dark } else { Theme::Light },
        language: if language.to_ascii_lowercase().starts_with("de") { Language::De } else { Language::En },
    }
}

/// The number of a keyboard in the outline.
const fn keyboard_number(keyboard: Keyboard) -> i32 {
    keyboard as i32
}
