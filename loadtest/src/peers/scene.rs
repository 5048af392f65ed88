//! One peer on one stage after the other: each link gets fresh programs.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tresen_scene::{Canvas, Namer, Point, Rect, ScrollOffsets, hit_test};
use tresen_typeset::Typesetter;
use tresen_world::wan::Profile;

use super::Extent;
use super::cast::{App, Peer, Served};
use super::eyes::Eyes;
use super::family::{Family, Side};
use super::figures::{Pass, TapFigures};
use super::hand::{Hand, different_percent, free_display};
use super::line::{Line, OPEN, OPEN_PATIENCE, PATIENCE};
use super::report::{Figures, First, LinkFigures, Missing, Outcome};
use crate::handheld::Act;
use crate::reference::model::{Model, Press};
use crate::reference::view::{SIZE, View};
use crate::reference::{SHOWN, script};
use crate::screen::run;
use crate::screen::serve;

/// How long an idle session is watched.
const IDLE: Duration = Duration::from_secs(2);
/// A peer that takes longer than this on a link never ends.
const LINK_PATIENCE: Duration = Duration::from_secs(5 * 60);
/// The client's screen; larger than the window, so that nobody takes it for a full screen.
const CLIENT_SCREEN: &str = "960x1440x24";
/// What the desktop client scrolls for a line of the wheel, on the handheld's screen.
const WHEEL_LINE_PX: i32 = 96;
/// More wrong pixels than this, in percent, and the client shows something else.
const WRONG_PERCENT: f64 = 2.0;
/// More taps than this that change nothing, in percent, and they were not understood.
const UNCHANGED_PERCENT: usize = 5;

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

/// What is played, and what has to come of it.
struct Play {
    passes: Vec<Vec<Act>>,
    proof: Proof,
}

impl Play {
    /// So many steps of the app's script for each pass; fewer when the script is shorter.
    async fn of(app: App, steps: &[usize]) -> Result<Self> {
        match app {
            App::Till => {
                let script = script::taps(&script::SEEDS);
                let passes = steps.iter().map(|steps| script.iter().take(*steps).copied().collect());
                let passes: Vec<Vec<Point>> = passes.collect();
                let acts = |pass: &Vec<Point>| pass.iter().copied().map(Act::from).collect();
                Ok(Self { passes: passes.iter().map(acts).collect(), proof: Proof::Till(passes) })
            }
            App::Handheld => {
                let rehearsed = run::rehearse(steps, WHEEL_LINE_PX).await;
                let (passes, end) = rehearsed.context("the handheld app can't be played")?;
                Ok(Self { passes, proof: Proof::Picture(end) })
            }
        }
    }
}

/// What the client has to show in the end.
enum Proof {
    /// The reference till after these passes of taps.
    Till(Vec<Vec<Point>>),
    /// This.
    Picture(Vec<u8>),
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

/// The figures of a pass, unless it was played past the app: the end of an evening looks alike, whatever was ordered.
fn passed(taps: &[TapFigures]) -> Result<Pass> {
    let pass = Pass::of(taps);
    ensure!(
        pass.without_change * 100 <= pass.taps * UNCHANGED_PERCENT,
        "{} of {} taps changed nothing, so they were not understood",
        pass.without_change,
        pass.taps
    );
    Ok(pass)
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

    async fn play(&self, acts: &[Act]) -> Result<Vec<TapFigures>> {
        let mut figures = Vec::with_capacity(acts.len());
        for (index, act) in acts.iter().enumerate() {
            let tap = self.tap(*act).await;
            figures.push(tap.with_context(|| format!("tap {index}"))?);
        }
        Ok(figures)
    }

    /// One tap in slow motion.
    async fn tap(&self, act: Act) -> Result<TapFigures> {
        let before = self.line.traffic();
        if let Some((at, lines)) = act.wheel {
            self.hand.wheel(at, lines)?;
            self.still().await?;
        }
        let tapped = Instant::now();
        self.hand.tap(act.tap)?;
        self.still().await?;
        let after = self.line.traffic();
        let changed = self.eyes.changed_at().filter(|last| *last > tapped);
        Ok(TapFigures {
            down_bytes: after.down.bytes - before.down.bytes,
            down_packets: after.down.packets - before.down.packets,
            up_bytes: after.up.bytes - before.up.bytes,
            last_pixel_ms: changed.map(|last| (last - tapped).as_secs_f64() * 1000.0),
        })
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
        if wrong >= WRONG_PERCENT {
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

/// Compares what the till printed after each tap with the script.
fn understood(log: &str, passes: &[Vec<Point>]) -> Result<()> {
    let mut printed = log.lines().filter(|line| *line != "ready");
    for (pass, taps) in passes.iter().enumerate() {
        for (index, line) in SHOWN.lines().take(taps.len()).enumerate() {
            let (_, should) = line.split_once(": ").context("a line without a place")?;
            let said = printed.next().unwrap_or("nothing");
            ensure!(
                said.trim_end() == should.trim_end(),
                "pass {pass}, tap {index}: the till shows \"{said}\", not \"{should}\""
            );
        }
    }
    ensure!(printed.next().is_none(), "the till was tapped more often than by us");
    Ok(())
}

/// What one more session costs a server that has many; of the others each has a server of its own.
fn one_more(peer: &Peer) -> Result<Option<u64>> {
    let app = match peer.app {
        App::Till => serve::App::Reference,
        App::Handheld => serve::App::Mpos,
    };
    if peer.has_display() { Ok(None) } else { run::idle_bytes(app).map(Some) }
}

/// What our reference till shows after these taps, painted here.
fn expected(passes: &[Vec<Point>]) -> Vec<u8> {
    let view = View::new(Typesetter::new(Namer::new([7; 32])));
    let mut model = Model::default();
    for at in passes.iter().flatten() {
        let touch = hit_test(&view.root(&model), *at, &ScrollOffsets::default()).touch;
        if let Some(press) = touch.and_then(|(_, touch)| Press::parse(touch.action.bytes())) {
            model.press(press);
        }
    }
    let mut canvas = Canvas::new(SIZE);
    canvas.paint(&view.root(&model), &[Rect::of_size(SIZE)], &ScrollOffsets::default(), None);
    canvas.pixels().iter().flat_map(|pixel| pixel.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture that a till that understood everything has printed after these passes.
    fn printed(passes: &[Vec<Point>]) -> String {
        let lines = passes.iter().flat_map(|taps| SHOWN.lines().take(taps.len()));
        let said: Vec<&str> = lines.filter_map(|line| Some(line.split_once(": ")?.1)).collect();
        format!("ready\n{}\n", said.join("\n"))
    }

    fn passes(lengths: &[usize]) -> Vec<Vec<Point>> {
        let script = script::taps(&script::SEEDS);
        lengths.iter().map(|length| script.iter().take(*length).copied().collect()).collect()
    }

    /// Proves that a tap that was lost, doubled or did something else is noticed.
    #[test]
    fn a_till_that_was_not_understood_is_noticed() {
        let passes = passes(&[20, 20]);
        let right = printed(&passes);
        understood(&right, &passes).expect("all was understood");
        let lines: Vec<&str> = right.lines().collect();
        let lost = lines[..lines.len() - 1].join("\n");
        assert!(understood(&lost, &passes).is_err());
        let doubled = format!("{right}{}\n", lines[lines.len() - 1]);
        assert!(understood(&doubled, &passes).is_err());
        let other = right.replacen("Total", "Sum", 1);
        assert!(understood(&other, &passes).is_err());
    }

    /// Proves that a pass that was played past the app gives no figures, and one tap on what is shown already does not spoil it.
    #[test]
    fn a_pass_past_the_app_has_no_figures() {
        let hit = TapFigures { last_pixel_ms: Some(5.0), ..TapFigures::default() };
        let mut taps = vec![hit; 39];
        taps.push(TapFigures::default());
        passed(&taps).expect("one tap in forty may change nothing");
        taps.extend([TapFigures::default(); 9]);
        assert!(passed(&taps).is_err());
    }

    /// Proves that the picture we compare ourselves with depends on the last tap.
    #[test]
    fn what_we_have_to_show_depends_on_every_tap() {
        let (all, fewer) = (expected(&passes(&[40])), expected(&passes(&[39])));
        assert_eq!(all.len(), SIZE.w as usize * SIZE.h as usize * 4);
        assert!(different_percent(&all, &fewer) > 0.0);
        assert_eq!(different_percent(&all, &expected(&passes(&[40]))), 0.0);
    }
}
