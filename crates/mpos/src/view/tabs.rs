//! Tabs: chips in as few lines as they fit, each line as wide as the screen.

use std::hash::Hash;

use smol_str::SmolStr;
use tresen_scene::Action;

use crate::ui::{
    Composite, Element, GAP, Inputs, Kit, MIN_TARGET, Place, Selected, Type, Weight, chip, column, row,
};

/// Room beside the text of a chip that has plenty of it, and of one that has little, in dp.
const ROOMY: i32 = 32;
const TIGHT: i32 = 15;

/// Whether lines of tabs are as wide as the screen, and how large their letters are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    No,
    Yes,
    Compact,
}

/// One of several views.
#[derive(Hash)]
pub(super) struct Tab {
    pub text: SmolStr,
    pub selected: Selected,
    pub action: Action,
}

/// Tabs: roomy in one line where they fit, else tight in as few lines as possible.
#[derive(Hash)]
pub(super) struct Tabs {
    /// What they have beside one another, in dp.
    pub width: i32,
    /// Room at the sides, and above and below, in dp.
    pub pad: (i32, i32),
    pub tabs: Vec<Tab>,
}

impl From<Tabs> for Element {
    fn from(tabs: Tabs) -> Self {
        Self::composite(tabs).key("tabs")
    }
}

impl Composite for Tabs {
    fn inputs(&self, inputs: &mut Inputs) {
        ("tabs", self).hash(inputs);
    }

    fn footprint(&self, out: &mut Inputs) {
        ("tabs", self.width, self.pad, self.tabs.len()).hash(out);
        self.tabs.iter().for_each(|tab| tab.text.hash(out));
    }

    fn compose(&self, kit: &Kit) -> Element {
        let (lines, fill) = self.lines(kit);
        let mut tabs = self.tabs.iter();
        let rows = lines.into_iter().map(|widths| {
            let spare = if fill == Fill::No { 0 } else { (self.width - used(&widths)).max(0) };
            let count = widths.len().max(1) as i32;
            let chips = widths.into_iter().zip(0..).zip(tabs.by_ref()).map(|((tab_width, index), tab)| {
                let share = spare / count + i32::from(index < spare % count);
                let chip = chip(tab.text.clone(), tab.selected, tab.action.clone());
                let chip = if fill == Fill::Compact { chip.compact() } else { chip };
                chip.width((tab_width + share).min(self.width))
            });
            row().gap(GAP).children(chips.collect::<Vec<_>>())
        });
        let (sides, above) = self.pad;
        column().children(rows.collect::<Vec<_>>()).pad_x(sides).pad_y(above)
    }
}

impl Tabs {
    /// The widths of the tabs in each line, in dp.
    fn lines(&self, kit: &Kit) -> (Vec<Vec<i32>>, Fill) {
        let in_one =
            |side| Some(self.widths(kit, Type::Body, side)).filter(|widths| used(widths) <= self.width);
        if let Some(widths) = [ROOMY, TIGHT].into_iter().find_map(in_one) {
            return (vec![widths], Fill::No);
        }
        let large = balanced(&self.widths(kit, Type::Body, TIGHT), self.width);
        let small = balanced(&self.widths(kit, Type::Label, TIGHT), self.width);
        if large.len() > small.len() { (small, Fill::Compact) } else { (large, Fill::Yes) }
    }

    fn widths(&self, kit: &Kit, of: Type, side: i32) -> Vec<i32> {
        let style = of.style(Weight::Medium);
        let px = |tab: &Tab| kit.typesetter.shape(&tab.text, style, kit.scale).width();
        let dp = |px: i32| (px * 100 + 99) / i32::from(kit.scale.hundredths());
        self.tabs.iter().map(|tab| (dp(px(tab)) + side).max(MIN_TARGET)).collect()
    }
}

fn used(widths: &[i32]) -> i32 {
    widths.iter().sum::<i32>() + GAP * (widths.len() as i32 - 1).max(0)
}

/// Breaks widths into as few lines as fit into `width`, all about as long.
fn balanced(widths: &[i32], width: i32) -> Vec<Vec<i32>> {
    const STEP: usize = 12;
    let fewest = broken(widths, width).len();
    let shorter = (MIN_TARGET..=width).rev().step_by(STEP).map(|width| broken(widths, width));
    let fitting =
        shorter.take_while(|lines| lines.len() <= fewest && lines.iter().all(|line| used(line) <= width));
    fitting.last().unwrap_or_else(|| broken(widths, width))
}

/// Breaks widths into lines of at most `width`.
fn broken(widths: &[i32], width: i32) -> Vec<Vec<i32>> {
    let mut lines: Vec<Vec<i32>> = vec![Vec::new()];
    for tab in widths {
        if let Some(line) = lines.last_mut()
            && (line.is_empty() || used(line) + GAP + tab <= width)
        {
            line.push(*tab);
        } else {
            lines.push(vec![*tab]);
        }
    }
    lines
}
