//! The window: one client, one surface, and the timers between them.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tresen_client::{Backoff, Client, Event, ItemKind, Pointer};
use tresen_scene::{Point, Role};
use tresen_wire::CloseCode;
use winit::application::ApplicationHandler;
use winit::dpi::{LogicalSize, PhysicalPosition, PhysicalSize};
use winit::event::{ElementState, MouseButton, MouseScrollDelta, TouchPhase, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, ModifiersState, NamedKey};
use winit::window::{Window, WindowId};

use crate::look::{language, look, theme};
use crate::network::{Dialled, Network, Report};
use crate::picture::Picture;
use crate::route::Change;
use crate::surface::{Display, Shown};
use crate::{keys, words};

/// Time between two pictures while something moves.
const FRAME_MS: u64 = 16;

/// A step of a wheel that reports lines, in dp.
const WHEEL_LINE_DP: f64 = 48.0;

/// The pointer number of the mouse; fingers have theirs above it.
const MOUSE: u32 = 0;

/// How the window is to be.
pub struct Options {
    /// Its size in dp.
    pub size_dp: (u32, u32),
    /// `light` or `dark`; `None`: as the system is.
    pub theme: Option<String>,
    /// `de` or `en`; `None`: as the system is.
    pub language: Option<String>,
    /// Where a picture of the screen is kept.
    pub picture: Option<PathBuf>,
}

/// Opens the window and runs until it is closed.
///
/// # Errors
/// When there is no display to open a window on.
pub fn run(dialled: Dialled, options: Options) -> Result<()> {
    let events = EventLoop::<Report>::with_user_event().build().context("There is no display")?;
    let proxy = events.create_proxy();
    let network = Network::start(dialled, move |report| proxy.send_event(report).is_ok())?;
    let display = softbuffer::Context::new(events.owned_display_handle())
        .map_err(|error| anyhow!("This display can't show pixels: {error}"))?;
    let mut app = App::new(network, display, options);
    events.run_app(&mut app).context("The window failed")?;
    match app.failure {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Whether a developer looks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overlay {
    Off,
    On,
}

/// Whether there is a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    There,
    Gone,
}

struct App {
    start: Instant,
    network: Network,
    display: softbuffer::Context<Display>,
    options: Options,
    client: Client,
    backoff: Backoff,
    picture: Option<Picture>,
    shown: Option<Shown>,
    /// Since when there is a connection.
    online_ms: Option<u64>,
    connect_at_ms: Option<u64>,
    /// Whether this computer has one, as far as it is known.
    network_is: Presence,
    /// Why the client waits for a person.
    barred: Option<CloseCode>,
    mouse: Point,
    modifiers: ModifiersState,
    title: String,
    /// Whether the title tells a developer how the link and the guesses are.
    report: Overlay,
    failure: Option<anyhow::Error>,
}

impl App {
    fn new(network: Network, display: softbuffer::Context<Display>, options: Options) -> Self {
        let (width, height) = options.size_dp;
        let look = look(PhysicalSize::new(width, height), 1.0, theme(&options, None), language(&options));
        Self {
            start: Instant::now(),
            network,
            display,
            picture: options.picture.clone().map(Picture::new),
            options,
            client: Client::new(look),
            backoff: Backoff::default(),
            shown: None,
            online_ms: None,
            connect_at_ms: Some(0),
            network_is: Presence::There,
            barred: None,
            mouse: Point::ZERO,
            modifiers: ModifiersState::empty(),
            title: String::new(),
            report: Overlay::Off,
            failure: None,
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&mut self, event_loop: &ActiveEventLoop) -> Result<()> {
        let (width, height) = self.options.size_dp;
        let attributes = Window::default_attributes()
            .with_title("Tresen")
            .with_inner_size(LogicalSize::new(width, height))
            .with_min_inner_size(LogicalSize::new(240, 320));
        let window = Rc::new(event_loop.create_window(attributes).context("The window can't be opened")?);
        window.set_ime_allowed(false);
        self.shown = Some(Shown::new(&self.display, window)?);
        self.look_changed();
        Ok(())
    }

    fn look_changed(&mut self) {
        let Some(shown) = &self.shown else { return };
        let window = &shown.window;
        let (size, scale) = (window.inner_size(), window.scale_factor());
        if size.width > 0 && size.height > 0 {
            self.client.set_look(look(
                size,
                scale,
                theme(&self.options, window.theme()),
                language(&self.options),
            ));
        }
    }

    /// Carries out what the client asks for, and sleeps until there is something to do.
    fn follow(&mut self, event_loop: &ActiveEventLoop) {
        let now_ms = self.now_ms();
        if self.connect_at_ms.is_some_and(|at| now_ms >= at) {
            self.connect_at_ms = None;
            self.network.connect();
        }
        if self.client.handle_timeout(now_ms).is_err() {
            self.network.disconnect();
        }
        while let Some(event) = self.client.poll_event() {
            self.happened(event);
        }
        while let Some(message) = self.client.poll_transmit(now_ms) {
            if self.online_ms.is_some() {
                self.network.send(message);
            }
        }
        self.paint(now_ms);
        let frame = self.client.is_moving().then_some(now_ms + FRAME_MS);
        let picture = self.picture.as_ref().and_then(Picture::due_ms);
        let next = [self.client.poll_timeout(), self.connect_at_ms, frame, picture];
        event_loop.set_control_flow(match next.into_iter().flatten().min() {
            Some(at) => ControlFlow::WaitUntil(self.start + Duration::from_millis(at)),
            None => ControlFlow::Wait,
        });
    }

    fn paint(&mut self, now_ms: u64) {
        let rects = self.client.paint(now_ms);
        if let Some(picture) = &mut self.picture {
            if !rects.is_empty() && self.client.root().is_some() {
                picture.changed(now_ms);
            }
            picture.write_when_due(now_ms, self.client.canvas());
        }
        if rects.is_empty() {
            return;
        }
        if let Some(shown) = &mut self.shown {
            shown.owe(rects);
        }
        self.retitle(self.link_in_words());
    }

    fn link_in_words(&self) -> &'static str {
        let language = self.client.look().language;
        match self.network_is {
            Presence::There => words::link(self.client.link(self.now_ms()), language),
            Presence::Gone => words::no_network(language),
        }
    }

    fn retitle(&mut self, link: &str) {
        let link = self.barred.map_or(link, |code| words::closed(code, self.client.look().language));
        let items = self.client.outline().items;
        let heading = items.iter().find(|item| item.role == Role::Heading && item.kind == ItemKind::Label);
        let title = match heading {
            _ if self.report == Overlay::On => format!("Tresen – {}", self.client.report(self.now_ms())),
            Some(heading) => format!("Tresen – {} – {link}", heading.label),
            None => format!("Tresen – {link}"),
        };
        if let Some(shown) = self.shown.as_ref().filter(|_| title != self.title) {
            shown.window.set_title(&title);
            self.title = title;
        }
    }

    fn happened(&mut self, event: Event) {
        let language = self.client.look().language;
        match event {
            Event::Closed { code, text } => {
                tracing::info!(%code, %text, "the server closed the connection");
                if !code.retries() {
                    self.barred = Some(code);
                    eprintln!("Tresen: {}", words::closed(code, language));
                }
                self.retitle(words::closed(code, language));
                self.network.disconnect();
            }
            Event::Full => self.retitle(words::full(language)),
            // The title always says it; the client itself takes the keys for a field.
            Event::StatusAsked | Event::EditingChanged => {}
        }
    }

    fn reported(&mut self, report: Report) {
        let now_ms = self.now_ms();
        match report {
            Report::Connected(path) => {
                self.online_ms = Some(now_ms);
                self.client.connected(now_ms, path);
            }
            Report::Way(path) => self.client.set_path(path),
            Report::Acknowledged => self.client.acknowledged(now_ms),
            Report::Moved if self.barred.is_some() => self.network.disconnect(),
            Report::Moved => {
                self.network_is = Presence::There;
                self.online_ms.get_or_insert(now_ms);
                self.client.moved(now_ms);
                self.network.go_on();
                self.retitle(self.link_in_words());
            }
            Report::Network(Change::Gone) => {
                self.network_is = Presence::Gone;
                if self.online_ms.take().is_some() {
                    self.client.disconnected(now_ms);
                }
                self.retitle(self.link_in_words());
            }
            Report::Network(Change::Another) => {
                self.network_is = Presence::There;
                self.connect_at_ms = self.connect_at_ms.map(|at_ms| at_ms.min(now_ms));
                self.retitle(self.link_in_words());
            }
            Report::Message(message) if self.online_ms.is_some() => {
                if let Err(error) = self.client.handle(now_ms, &message) {
                    tracing::warn!(%error, "the server broke the protocol");
                    self.network.disconnect();
                }
            }
            Report::Message(_) => {}
            Report::Lost(why) => {
                tracing::debug!(why, "the connection is gone");
                let lasted_ms = self.online_ms.take().map_or(0, |since| now_ms.saturating_sub(since));
                self.client.disconnected(now_ms);
                let wait_ms = self.backoff.next_wait_ms(lasted_ms, getrandom::u32().unwrap_or_default());
                self.connect_at_ms = self.barred.is_none().then_some(now_ms + wait_ms);
                self.retitle(self.link_in_words());
            }
        }
    }

    /// Somebody is there: try again what waits for a person.
    fn wake(&mut self) {
        if self.barred.take().is_some() {
            self.connect_at_ms = Some(self.now_ms());
        }
    }

    fn input(&mut self, event: WindowEvent) {
        let now_ms = self.now_ms();
        match event {
            WindowEvent::CursorMoved { position, .. } => {
                self.mouse = point(position);
                self.client.pointer(now_ms, MOUSE, Pointer::Move(self.mouse));
            }
            WindowEvent::MouseInput { state, button: MouseButton::Left, .. } => {
                let what = match state {
                    ElementState::Pressed => Pointer::Down(self.mouse),
                    ElementState::Released => Pointer::Up(self.mouse),
                };
                self.wake();
                self.client.pointer(now_ms, MOUSE, what);
            }
            WindowEvent::Touch(touch) => {
                let at = point(touch.location);
                let what = match touch.phase {
                    TouchPhase::Started => Pointer::Down(at),
                    TouchPhase::Moved => Pointer::Move(at),
                    TouchPhase::Ended => Pointer::Up(at),
                    TouchPhase::Cancelled => Pointer::Cancel,
                };
                self.wake();
                self.client.pointer(now_ms, MOUSE + 1 + touch.id as u32, what);
            }
            WindowEvent::MouseWheel { delta, .. } => {
                let scale = f64::from(self.client.look().scale_100) / 100.0;
                let up = match delta {
                    MouseScrollDelta::LineDelta(_, lines) => f64::from(lines) * WHEEL_LINE_DP * scale,
                    MouseScrollDelta::PixelDelta(by) => by.y,
                };
                self.client.wheel(self.mouse, -up.round() as i32);
            }
            WindowEvent::KeyboardInput { event, is_synthetic: false, .. }
                if event.state == ElementState::Pressed && event.logical_key == Key::Named(NamedKey::F12) =>
            {
                self.report = match self.report {
                    Overlay::Off => Overlay::On,
                    Overlay::On => Overlay::Off,
                };
                self.retitle(self.link_in_words());
            }
            WindowEvent::KeyboardInput { event, is_synthetic: false, .. }
                if event.state == ElementState::Pressed
                    && !self.modifiers.intersects(ModifiersState::CONTROL | ModifiersState::SUPER) =>
            {
                self.wake();
                keys::presses(&event).into_iter().for_each(|key| self.client.key(now_ms, key));
            }
            WindowEvent::ModifiersChanged(modifiers) => self.modifiers = modifiers.state(),
            _ => {}
        }
    }

    fn redraw(&mut self) {
        if let Some(shown) = &mut self.shown
            && let Err(error) = shown.present(self.client.canvas())
        {
            tracing::warn!(%error, "the window could not be drawn");
        }
    }
}

impl ApplicationHandler<Report> for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.shown.is_none()
            && let Err(error) = self.open(event_loop)
        {
            self.failure = Some(error);
            event_loop.exit();
        }
    }

    fn user_event(&mut self, _: &ActiveEventLoop, report: Report) {
        self.reported(report);
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => event_loop.exit(),
            WindowEvent::RedrawRequested => self.redraw(),
            WindowEvent::Resized(_)
            | WindowEvent::ScaleFactorChanged { .. }
            | WindowEvent::ThemeChanged(_) => {
                self.look_changed();
            }
            other => self.input(other),
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        self.follow(event_loop);
    }
}

fn point(position: PhysicalPosition<f64>) -> Point {
    Point::new(position.x.floor() as i32, position.y.floor() as i32)
}
