//! One peer on one stage after the other: each link gets fresh programs.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tresen_scene::Point;
use tresen_world::wan::Profile;

use super::Extent;
use super::cast::{App, Peer};
use super::eyes::Eyes;
use super::family::{Family, Side};
use super::figures::TapFigures;
use super::hand::{Hand, free_display};
use super::line::{Line, OPEN, OPEN_PATIENCE, PATIENCE, REST};
use super::picture::{ANOTHER_PERCENT, Sketch, different_percent};
use super::play::{Play, Proof, Step, expected, passed, understood};
use super::report::{Figures, First, LinkFigures, Missing, Outcome};
use super::serve::Served;
use crate::handheld::Act;
use crate::reference::view::SIZE;
use crate::screen::{run, serve};

/// How long an idle session is watched.
const IDLE: Duration = Duration::from_secs(2);
/// A peer that takes longer than this on a link never ends.
const LINK_PATIENCE: Duration = Duration::from_secs(5 * 60);
/// The client's screen; larger than the window, so that nobody takes it for a full screen.
const CLIENT_SCREEN: &str = "960x1440x24";

/// Everything of one peer. What fails is said.
pub async fn measure(peer: &Peer, extent: Extent) -> Outcome {
    let result = all_links(peer, extent).await;
    let (figures, reason) = match result {
        Ok(figures) => (Some(figures), None),
        Err(error) => {
            eprintln!("  failed: {error:#}");
            (None, Some(format!("{error:#}")))
        }
    };
    let (id, name, setting) = (peer.id, peer.name, peer.setting);
    Outcome { id, name, setting, handheld: peer.app == App::Handheld, figures, reason }
}

/// A link that fails does not take away what was measured on another.
async fn all_links(peer: &Peer, extent: Extent) -> Result<Figures> {
    let mut figures = {
        let lan_taps = match peer.app {
            App::Till => extent.lan_taps,
            // An evening ends with logging out: a part of it can't be played twice.
            App::Handheld => usize::MAX,
        };
        let play = Play::of(peer.app, &[lan_taps; 2]).await?;
        bounded(on_lan(peer, &play)).await.context("lan")?
    };
    let play = Play::of(peer.app, &[extent.far_taps]).await?;
    for link in ["near", "far"] {
        eprintln!("  {link}");
        match bounded(elsewhere(peer, link, &play)).await {
            Ok(found) => figures.links.push(found),
            Err(error) => {
                eprintln!("  failed: {error:#}");
                figures.missing.push(Missing { link, reason: format!("{error:#}") });
            }
        }
    }
    Ok(figures)
}

async fn bounded<T>(measured: impl Future<Output = Result<T>>) -> Result<T> {
    let result = tokio::time::timeout(LINK_PATIENCE, measured).await;
    result.unwrap_or_else(|_| Err(anyhow::anyhow!("it was not done within {LINK_PATIENCE:?}")))
}

/// A session that is open.
struct Stage {
    line: Line,
    hand: Hand,
    eyes: Eyes,
    first: First,
    server_display: Option<Hand>,
    /// Last: it ends the processes that the others talk to.
    family: Family,
}

async fn on_lan(peer: &Peer, play: &Play) -> Result<Figures> {
    let stage = Stage::open(peer, "lan").await?;
    let before_us = stage.family.server_cpu_us();
    tokio::time::sleep(IDLE).await;
    // The time of a process that has ended is not in the sum any more.
    let idle_us = (stage.family.server_cpu_us() - before_us).max(0.0);
    let (before_us, began) = (stage.family.server_cpu_us(), Instant::now());
    let cold = stage.play(&play.passes[0]).await?;
    let repeat = stage.play(&play.passes[1]).await?;
    let used_us = stage.family.server_cpu_us() - before_us;
    let took = began.elapsed();
    let wrong_percent = stage.check(&play.proof)?;
    let both = (cold.len() + repeat.len()) as f64;
    Ok(Figures {
        first_screen: stage.first,
        cold: passed(&cold)?,
        repeat: passed(&repeat)?,
        server_cpu_ms_per_tap: used_us / 1000.0 / both,
        server_idle_cpu_percent: idle_us / IDLE.as_micros() as f64 * 100.0,
        seconds_per_tap: took.as_secs_f64() / both,
        memory: stage.family.server_memory(""),
        memory_of_till: stage.family.server_memory("till.py"),
        memory_of_one_more_bytes: one_more(peer)?,
        wrong_pixels_percent: wrong_percent,
        links: Vec::new(),
        missing: Vec::new(),
    })
}

async fn elsewhere(peer: &Peer, link: &'static str, play: &Play) -> Result<LinkFigures> {
    let stage = Stage::open(peer, link).await?;
    let cold = stage.play(&play.passes[0]).await?;
    let wrong_pixels_percent = stage.check(&play.proof)?;
    Ok(LinkFigures { link, first_screen: stage.first, cold: passed(&cold)?, wrong_pixels_percent })
}

impl Stage {
    async fn open(peer: &Peer, link: &str) -> Result<Self> {
        let profile = Profile::named(link).context("a link that nobody knows")?;
        let mut family = Family::new()?;
        let screen = free_display(0)?;
        let mut command = Command::new("Xvfb");
        command.args([&format!(":{screen}"), "-screen", "0", CLIENT_SCREEN, "-ac", "-nolisten", "tcp"]);
        family.start(Side::Client, "Xvfb", &mut command)?;
        let mut hand = Hand::on(screen).await.with_context(|| family.last_words("Xvfb"))?;
        let eyes = Eyes::on(screen)?;
        let display = free_display(screen + 1)?;
        let served = peer.serve(&mut family, display).await?;
        if peer.has_display() && !peer.display_needs_client() {
            Hand::on(display).await?;
            peer.show(&mut family, display).await?;
        }
        let line = Line::new(peer.carrier(), served.port, profile)?;
        let (first, server_display) =
            first_screen(peer, &mut family, &line, &eyes, [screen, display], &served).await?;
        hand.aim(SIZE)?;
        Ok(Self { line, hand, eyes, first, server_display, family })
    }

    async fn play(&self, steps: &[Step]) -> Result<Vec<TapFigures>> {
        let mut figures = Vec::with_capacity(steps.len());
        for (index, step) in steps.iter().enumerate() {
            let tap = self.step(step).await;
            figures.push(tap.with_context(|| format!("tap {index}"))?);
        }
        Ok(figures)
    }

    /// One tap in slow motion, and what came of it.
    async fn step(&self, step: &Step) -> Result<TapFigures> {
        let mut figures = self.tap(step.act).await?;
        if let Some(should) = &step.shows {
            let shown = Sketch::of(&self.hand.picture(SIZE)?, SIZE);
            figures.unlike_percent = shown.different_percent(should);
        }
        Ok(figures)
    }

    async fn tap(&self, act: Act) -> Result<TapFigures> {
        let before = self.line.traffic();
        if let Some((at, notches)) = act.wheel {
            self.go(at).await?;
            self.hand.wheel(notches)?;
            self.still().await?;
        }
        self.go(act.tap).await?;
        let tapped = Instant::now();
        self.hand.tap()?;
        self.still().await?;
        let after = self.line.traffic();
        let changed = self.eyes.changed_at().filter(|last| *last > tapped);
        Ok(TapFigures {
            down_bytes: after.down.bytes - before.down.bytes,
            down_packets: after.down.packets - before.down.packets,
            up_bytes: after.up.bytes - before.up.bytes,
            last_pixel_ms: changed.map(|last| (last - tapped).as_secs_f64() * 1000.0),
            ..TapFigures::default()
        })
    }

    /// Goes there and rests until the server knows. Whoever presses while it is still being told, may be taken to press where the pointer was.
    async fn go(&self, at: Point) -> Result<()> {
        self.hand.go(at)?;
        self.line.silent_for(REST, &self.eyes, PATIENCE).await
    }

    async fn still(&self) -> Result<()> {
        self.line.silent_for(self.line.silence(), &self.eyes, PATIENCE).await
    }

    /// Whether the till did what the script says, and the client shows it. Returns the share of wrong pixels.
    fn check(&self, proof: &Proof) -> Result<f64> {
        let shown = self.hand.picture(SIZE)?;
        let should = match (proof, &self.server_display) {
            (Proof::Till(taps), Some(display)) => {
                understood(&fs::read_to_string(self.family.log("till"))?, taps)?;
                display.content(SIZE)?
            }
            (Proof::Till(taps), None) => expected(taps),
            (Proof::Picture(end), _) => end.clone(),
        };
        let wrong = different_percent(&shown, &should);
        if wrong >= ANOTHER_PERCENT {
            bail!("it shows something else: {wrong:.1} % of the pixels are wrong");
        }
        Ok(wrong)
    }
}

/// Starts the client and waits until everything has been said.
async fn first_screen(
    peer: &Peer,
    family: &mut Family,
    line: &Line,
    eyes: &Eyes,
    [screen, display]: [u16; 2],
    served: &Served,
) -> Result<(First, Option<Hand>)> {
    let before = line.traffic();
    peer.call(family, screen, line.port(), served).await?;
    let began = line.begins().await?;
    if peer.has_display() && peer.display_needs_client() {
        Hand::on(display).await?;
        peer.show(family, display).await?;
    }
    line.silent_for(OPEN, eyes, OPEN_PATIENCE).await?;
    let after = line.traffic();
    let last = eyes.changed_at().filter(|last| *last > began).context("the client shows nothing")?;
    let mut server_display = if peer.has_display() { Some(Hand::on(display).await?) } else { None };
    if let Some(hand) = &mut server_display {
        hand.aim(SIZE).context("the server's display")?;
    }
    let first = First {
        down_bytes: after.down.bytes - before.down.bytes,
        up_bytes: after.up.bytes - before.up.bytes,
        ms: (last - began).as_secs_f64() * 1000.0,
    };
    Ok((first, server_display))
}

/// What one more session costs a server that has many; of the others each has a server of its own.
fn one_more(peer: &Peer) -> Result<Option<u64>> {
    let app = match peer.app {
        App::Till => serve::App::Reference,
        App::Handheld => serve::App::Mpos,
    };
    if peer.has_display() { Ok(None) } else { run::idle_bytes(app).map(Some) }
}
