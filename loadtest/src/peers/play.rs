//! What is played, and whether it was understood.

use anyhow::{Context, Result, ensure};
use tresen_scene::{Canvas, Namer, Point, Rect, ScrollOffsets, hit_test, window_pixel};
use tresen_typeset::Typesetter;

use super::cast::App;
use super::figures::{Pass, TapFigures};
use super::picture::{ANOTHER_PERCENT, Sketch};
use crate::handheld::Act;
use crate::reference::model::{Model, Press};
use crate::reference::view::{SIZE, View};
use crate::reference::{SHOWN, script};
use crate::screen::run;

/// What the desktop client scrolls for a notch of the wheel, on the handheld's screen: two lines of 48 dp. winit 0.30 tells of a wheel that is a
/// button of the X server (XTEST, VNC) twice, when it is pressed and when it is let go (rust-windowing/winit#4386).
const WHEEL_NOTCH_PX: i32 = 192;
/// More taps than this that change nothing, or bring another picture than was rehearsed, in percent, and they were not understood.
const ASTRAY_PERCENT: usize = 5;

/// What is played, and what has to come of it.
pub struct Play {
    /// The steps of each pass.
    pub passes: Vec<Vec<Step>>,
    /// What the client has to show in the end.
    pub proof: Proof,
}

/// A tap, and what it has to bring.
pub struct Step {
    /// What the hand does.
    pub act: Act,
    /// What the client shows then, where only its picture says what the app did.
    pub shows: Option<Sketch>,
}

/// What the client has to show in the end.
pub enum Proof {
    /// The reference till after these passes of taps.
    Till(Vec<Vec<Point>>),
    /// This.
    Picture(Vec<u8>),
}

impl Play {
    /// So many steps of the app's script for each pass; fewer when the script is shorter.
    ///
    /// # Errors
    /// When the handheld app can't be rehearsed.
    pub async fn of(app: App, steps: &[usize]) -> Result<Self> {
        match app {
            App::Till => {
                let script = script::taps(&script::SEEDS);
                let passes = steps.iter().map(|steps| script.iter().take(*steps).copied().collect());
                let passes: Vec<Vec<Point>> = passes.collect();
                let step = |at: &Point| Step { act: Act::from(*at), shows: None };
                let of_pass = |pass: &Vec<Point>| pass.iter().map(step).collect();
                Ok(Self { passes: passes.iter().map(of_pass).collect(), proof: Proof::Till(passes) })
            }
            App::Handheld => {
                let sketch = |picture: &[u8]| Sketch::of(picture, SIZE);
                let rehearsed = run::rehearse(steps, WHEEL_NOTCH_PX, sketch).await;
                let (passes, end) = rehearsed.context("the handheld app can't be played")?;
                let step = |(act, shows)| Step { act, shows: Some(shows) };
                let passes = passes.into_iter().map(|pass| pass.into_iter().map(step).collect()).collect();
                Ok(Self { passes, proof: Proof::Picture(end) })
            }
        }
    }
}

/// The figures of a pass, unless it was played past the app: the end of an evening looks alike, whatever was ordered.
pub fn passed(taps: &[TapFigures]) -> Result<Pass> {
    let pass = Pass::of(taps);
    let few = |astray: usize| astray * 100 <= pass.taps * ASTRAY_PERCENT;
    ensure!(
        few(pass.without_change),
        "{} of {} taps changed nothing, so they were not understood",
        pass.without_change,
        pass.taps
    );
    let first = taps.iter().position(|tap| tap.unlike_percent >= ANOTHER_PERCENT).unwrap_or_default();
    ensure!(
        few(pass.unlike),
        "after {} of {} taps, first after tap {first}, it showed another picture than was rehearsed",
        pass.unlike,
        pass.taps
    );
    Ok(pass)
}

/// Compares what the till printed after each tap with the script.
pub fn understood(log: &str, passes: &[Vec<Point>]) -> Result<()> {
    let mut printed = log.lines().filter(|line| *line != "ready");
    // Tells a tap at another place from one that came twice or not at all.
    let (tapped, told) = (passes.iter().map(Vec::len).sum::<usize>(), printed.clone().count());
    for (pass, taps) in passes.iter().enumerate() {
        for (index, line) in SHOWN.lines().take(taps.len()).enumerate() {
            let (_, should) = line.split_once(": ").context("a line without a place")?;
            let said = printed.next().unwrap_or("nothing");
            ensure!(
                said.trim_end() == should.trim_end(),
                "pass {pass}, tap {index}: the till shows \"{said}\", not \"{should}\"; of {tapped} taps it was told {told}"
            );
        }
    }
    ensure!(told == tapped, "of {tapped} taps the till was told {told}");
    Ok(())
}

/// What our reference till shows after these taps, painted here.
pub fn expected(passes: &[Vec<Point>]) -> Vec<u8> {
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
    canvas.pixels().iter().flat_map(|pixel| window_pixel(*pixel).to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::picture::different_percent;
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
        let strayed = TapFigures { unlike_percent: ANOTHER_PERCENT, ..hit };
        let taps = [[hit; 30], [strayed; 30]].concat();
        let why = passed(&taps).expect_err("half of it was another evening").to_string();
        assert!(why.contains("first after tap 30"), "{why}");
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
