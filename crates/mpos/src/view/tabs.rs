//! Tabs: chips in as few lines as they fit, each line as wide as the screen.

use smol_str::SmolStr;

use super::Scene;
use crate::Tap;
use crate::ui::{Element, GAP, MIN_TARGET, Place, Selected, Type, Weight, chip, column, row};

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
pub(super) struct Tab {
    pub text: SmolStr,
    pub selected: Selected,
    pub tap: Tap,
}

impl Scene<'_> {
    /// Tabs within `width` dp: roomy in one line where they fit, else tight in as few lines as possible.
    pub(super) fn tabs(&self, width: i32, tabs: Vec<Tab>) -> Element {
        let in_one =
            |side| Some(self.tab_widths(&tabs, Type::Body, side)).filter(|widths| used(widths) <= width);
        let (lines, fill) = match [ROOMY, TIGHT].into_iter().find_map(in_one) {
            Some(widths) => (vec![widths], Fill::No),
            None => {
                let large = balanced(&self.tab_widths(&tabs, Type::Body, TIGHT), width);
                let small = balanced(&self.tab_widths(&tabs, Type::Label, TIGHT), width);
                if large.len() > small.len() { (small, Fill::Compact) } else { (large, Fill::Yes) }
            }
        };
        let mut tabs = tabs.into_iter();
        let rows = lines.into_iter().map(|widths| {
            let spare = if fill == Fill::No { 0 } else { (width - used(&widths)).max(0) };
            let count = widths.len().max(1) as i32;
            let chips = widths.into_iter().zip(0..).zip(tabs.by_ref()).map(|((tab_width, index), tab)| {
                let share = spare / count + i32::from(index < spare % count);
                let chip = chip(tab.text, tab.selected, tab.tap.action());
                let chip = if fill == Fill::Compact { chip.compact() } else { chip };
                chip.width((tab_width + share).min(width))
            });
            row().gap(GAP).children(chips.collect::<Vec<_>>())
        });
        column().children(rows.collect::<Vec<_>>()).key("tabs")
    }

    fn tab_widths(&self, tabs: &[Tab], of: Type, side: i32) -> Vec<i32> {
        let style = of.style(Weight::Medium);
        let px = |tab: &Tab| self.kit.typesetter.shape(&tab.text, style, self.kit.scale).width();
        let dp = |px: i32| (px * 100 + 99) / i32::from(self.kit.scale.hundredths());
        tabs.iter().map(|tab| (dp(px(tab)) + side).max(MIN_TARGET)).collect()
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
