//! Small charts as SVG, drawn on the server: shapes only. What they say in words stands beside them.
//!
//! A chart is [`WIDTH`] wide, four units a minute, and [`HEIGHT`] high; the page stretches it. Classes say what a shape is, the style sheet
//! says how that looks.

use std::fmt::Write;

use crate::links::CELLS;

/// Width of a chart.
pub(crate) const WIDTH: usize = CELLS * STEP;
/// Height of a chart.
pub(crate) const HEIGHT: usize = 48;

/// Width of a minute.
const STEP: usize = 4;
/// What is left free above the highest value.
const HEADROOM: f64 = 4.0;
/// Where the shapes stand.
const FLOOR: f64 = HEIGHT as f64 - 1.0;
/// The least height of a bar that is not nothing.
const LEAST_BAR: f64 = 2.0;

/// What is known of a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Point {
    /// Nobody was connected: a line ends.
    Away,
    /// Nothing was measured: a line goes on.
    Unknown,
    /// It was measured.
    At(f64),
}

/// A chart under construction.
pub(crate) struct Chart {
    shapes: String,
    top: f64,
}

impl Chart {
    /// A chart that reaches up to `top`.
    pub(crate) fn up_to(top: f64) -> Self {
        let mut chart = Self { shapes: String::new(), top: top.max(f64::MIN_POSITIVE) };
        chart.draw(format_args!("<path class=\"floor\" d=\"M0 {FLOOR}H{WIDTH}\"/>"));
        chart
    }

    /// A level to compare with, where it is within the chart.
    pub(crate) fn limit(mut self, value: f64) -> Self {
        if value <= self.top {
            let y = self.y(value);
            self.draw(format_args!("<path class=\"limit\" d=\"M0 {y:.1}H{WIDTH}\"/>"));
        }
        self
    }

    /// A line, with what lies under it tinted.
    pub(crate) fn area(mut self, points: &[Point; CELLS]) -> Self {
        for run in runs(points) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let (from, to) = (first.0 - 1.5, last.0 + 1.5);
            let line = self.corners(&run);
            self.draw(format_args!("<path class=\"area\" d=\"M{from} {FLOOR}L{line}L{to} {FLOOR}Z\"/>"));
        }
        self.line("line", points)
    }

    /// A line of a class.
    pub(crate) fn line(mut self, class: &str, points: &[Point; CELLS]) -> Self {
        for run in runs(points) {
            let line = self.corners(&run);
            self.draw(format_args!("<path class=\"{class}\" d=\"M{line}\"/>"));
        }
        self
    }

    /// Bars, each upon what is below it there.
    pub(crate) fn bars(mut self, bars: impl IntoIterator<Item = Bar>) -> Self {
        for bar in bars {
            if bar.value <= 0.0 {
                continue;
            }
            let height = (FLOOR - self.y(bar.value)).max(LEAST_BAR);
            let top = self.y(bar.below) - height;
            let x = bar.minute * STEP;
            let class = bar.class;
            self.draw(format_args!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{top:.1}\" width=\"3\" height=\"{height:.1}\"/>"
            ));
        }
        self
    }

    /// Marks where the connection broke.
    pub(crate) fn breaks(mut self, minutes: &[usize]) -> Self {
        for minute in minutes {
            let x = minute * STEP + STEP / 2;
            self.draw(format_args!("<path class=\"break\" d=\"M{x} 0V{HEIGHT}\"/>"));
        }
        self
    }

    /// Its shapes.
    pub(crate) fn finish(self) -> String {
        self.shapes
    }

    fn corners(&self, run: &[(f64, f64)]) -> String {
        let mut corners = String::new();
        // A value of a lone minute is a line as well.
        for (at, (x, value)) in run.iter().enumerate() {
            let y = self.y(*value);
            let before = if at == 0 { x - 1.5 } else { *x };
            let after = if at + 1 == run.len() { x + 1.5 } else { *x };
            let _ = write!(corners, "{before} {y:.1} ");
            if after > before {
                let _ = write!(corners, "{after} {y:.1} ");
            }
        }
        corners.trim_end().to_owned()
    }

    fn y(&self, value: f64) -> f64 {
        FLOOR - (value.clamp(0.0, self.top) / self.top) * (FLOOR - HEADROOM)
    }

    fn draw(&mut self, shape: std::fmt::Arguments<'_>) {
        // Writing to a String can't fail.
        let _ = self.shapes.write_fmt(shape);
    }
}

/// A bar.
pub(crate) struct Bar {
    pub(crate) class: &'static str,
    pub(crate) minute: usize,
    pub(crate) value: f64,
    /// The value that it stands upon.
    pub(crate) below: f64,
}

/// The parts of a line between which nobody was connected: the middle of each minute that was measured, and its value.
fn runs(points: &[Point; CELLS]) -> Vec<Vec<(f64, f64)>> {
    let mut runs = vec![Vec::new()];
    for (minute, point) in points.iter().enumerate() {
        match point {
            Point::At(value) => {
                if let Some(run) = runs.last_mut() {
                    run.push(((minute * STEP + STEP / 2) as f64, *value));
                }
            }
            Point::Unknown => {}
            Point::Away => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a line bridges minutes in which nothing was measured, and ends where nobody was connected.
    #[test]
    fn a_line_ends_where_nobody_was_connected() {
        let mut points = [Point::Away; CELLS];
        (points[0], points[1], points[2]) = (Point::At(5.0), Point::Unknown, Point::At(10.0));
        points[59] = Point::At(0.0);
        let shapes = Chart::up_to(10.0).line("line", &points).finish();
        assert_eq!(shapes.matches("class=\"line\"").count(), 2);
        assert!(shapes.contains("M0.5 25.5 2 25.5 10 4.0 11.5 4.0\""), "{shapes}");
        assert!(shapes.contains("M236.5 47.0 239.5 47.0\""), "{shapes}");
    }

    /// Promise: nothing is drawn outside of the chart, and the least of a loss is seen.
    #[test]
    fn bars_stay_within_and_are_seen() {
        let bar = |minute, value| Bar { class: "bar", minute, value, below: 0.0 };
        let shapes = Chart::up_to(100.0).bars([bar(0, 0.0), bar(1, 0.1), bar(2, 900.0)]).finish();
        assert_eq!(shapes.matches("<rect").count(), 2, "nothing is no bar");
        assert!(shapes.contains("x=\"4\" y=\"45.0\" width=\"3\" height=\"2.0\""), "{shapes}");
        assert!(shapes.contains("x=\"8\" y=\"4.0\" width=\"3\" height=\"43.0\""), "{shapes}");
        let shapes = Chart::up_to(10.0).limit(50.0).breaks(&[59]).finish();
        assert!(!shapes.contains("limit") && shapes.contains("M238 0V48"), "{shapes}");
    }
}
