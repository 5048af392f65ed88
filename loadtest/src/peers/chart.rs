//! Bars beside their names, as SVG: one look for everybody, ours in the house's colour.

use std::fmt::Write as _;

/// A chart.
#[derive(Debug)]
pub struct Chart {
    /// What is shown, with its unit.
    pub title: String,
    /// Below, small.
    pub note: String,
    /// From top to bottom.
    pub bars: Vec<Bar>,
}

/// A bar.
#[derive(Debug)]
pub struct Bar {
    /// Who.
    pub label: String,
    /// How much.
    pub value: f64,
    /// Whether it is Tresen.
    pub ours: bool,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 56.0;
const STEP: f64 = 34.0;
const THICK: f64 = 22.0;
const BOTTOM: f64 = 40.0;
/// Where the largest value is so many times the smallest, a linear scale shows nothing of the small ones.
const LOGARITHMIC_FROM: f64 = 50.0;

/// Colours by day and by night, as the reader's system says.
const STYLE: &str = "<style>\n\
     text { font-family: system-ui, sans-serif; font-size: 14px; fill: #111827 }\n\
     .ground { fill: #ffffff }\n\
     .title { font-size: 17px; font-weight: 600 }\n\
     .small { font-size: 11px; fill: #6b7280 }\n\
     .line { stroke: #e5e7eb }\n\
     .bar { fill: #94a3b8 }\n\
     .ours { fill: #0f766e }\n\
     .strong { font-weight: 600 }\n\
     @media (prefers-color-scheme: dark) {\n\
     text { fill: #f3f4f6 }\n\
     .ground { fill: #111827 }\n\
     .small { fill: #9ca3af }\n\
     .line { stroke: #374151 }\n\
     .bar { fill: #64748b }\n\
     .ours { fill: #2dd4bf }\n\
     }\n\
     </style>\n";

/// Draws it.
pub fn svg(chart: &Chart) -> String {
    let height = TOP + chart.bars.len() as f64 * STEP + BOTTOM;
    let scale = Scale::of(&chart.bars);
    let title = escaped(&chart.title);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>{title}</title>\n{STYLE}\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"16\" y=\"30\">{title}</text>\n"
    );
    for (at, value) in scale.lines() {
        let x = LEFT + at * (WIDTH - LEFT - RIGHT);
        let (top, bottom) = (TOP - 6.0, height - BOTTOM);
        let _ = writeln!(
            out,
            "<path class=\"line\" d=\"M{x:.1} {top}V{bottom}\"/>\
             <text class=\"small\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 13.0,
            number(value)
        );
    }
    for (index, bar) in chart.bars.iter().enumerate() {
        let y = TOP + index as f64 * STEP;
        let width = (scale.place(bar.value) * (WIDTH - LEFT - RIGHT)).max(2.0);
        let (fill, weight) = if bar.ours { ("ours", " class=\"strong\"") } else { ("bar", "") };
        let _ = writeln!(
            out,
            "<text{weight} x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{fill}\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{THICK}\" rx=\"3\"/>\
             <text{weight} x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 10.0,
            y + 16.0,
            escaped(&bar.label),
            LEFT + width + 8.0,
            y + 16.0,
            number(bar.value)
        );
    }
    let kind = if scale.logarithmic { "logarithmic scale; " } else { "" };
    let _ = writeln!(
        out,
        "<text class=\"small\" x=\"16\" y=\"{:.1}\">{kind}{}</text>\n</svg>",
        height - 8.0,
        escaped(&chart.note)
    );
    out
}

/// From values to places between 0 and 1.
struct Scale {
    logarithmic: bool,
    least: f64,
    most: f64,
}

impl Scale {
    fn of(bars: &[Bar]) -> Self {
        let values = || bars.iter().map(|bar| bar.value).filter(|value| *value > 0.0);
        let most = values().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let smallest = values().fold(most, f64::min);
        let logarithmic = most / smallest >= LOGARITHMIC_FROM;
        match logarithmic {
            // A bar begins at a power of ten, at least half of one below the smallest value.
            true => Self { logarithmic, least: 10_f64.powf((smallest.log10() - 0.5).floor()), most },
            false => Self { logarithmic, least: 0.0, most },
        }
    }

    fn place(&self, value: f64) -> f64 {
        let place = match self.logarithmic {
            true => (value.max(self.least) / self.least).log10() / (self.most / self.least).log10(),
            false => value / self.most,
        };
        place.clamp(0.0, 1.0)
    }

    fn lines(&self) -> Vec<(f64, f64)> {
        let values: Vec<f64> = match self.logarithmic {
            true => {
                let first = self.least.log10().round() as i32;
                (first..).map(|power| 10_f64.powi(power)).take_while(|value| *value <= self.most).collect()
            }
            false => {
                let step = nice_step(self.most);
                (0..=4).map(|index| f64::from(index) * step).take_while(|value| *value <= self.most).collect()
            }
        };
        values.into_iter().map(|value| (self.place(value), value)).collect()
    }
}

/// A round number, so that three or four of them reach `most`.
fn nice_step(most: f64) -> f64 {
    let power = 10_f64.powf((most / 4.0).log10().floor());
    let wished = most / 4.0 / power;
    [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| *step >= wished).unwrap_or(10.0) * power
}

/// A number as people write it: three digits that count, groups of three.
pub fn number(value: f64) -> String {
    let digits = match value {
        value if value >= 100.0 || value.fract() == 0.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    rest.map_or(out.clone(), |rest| format!("{out}.{rest}"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, value: f64) -> Bar {
        Bar { label: label.to_owned(), value, ours: false }
    }

    /// Proves that a bar is as long as its value says, and nothing leaves the picture.
    #[test]
    fn bars_are_as_long_as_their_values() {
        let scale = Scale::of(&[bar("a", 30.0), bar("b", 120.0)]);
        assert!(!scale.logarithmic);
        assert_eq!((scale.place(30.0), scale.place(120.0), scale.place(0.0)), (0.25, 1.0, 0.0));
        let scale = Scale::of(&[bar("a", 10.0), bar("b", 10_000.0), bar("c", 0.0)]);
        assert!(scale.logarithmic);
        assert!((scale.place(10.0) - 0.25).abs() < 1e-9 && (scale.place(10_000.0) - 1.0).abs() < 1e-9);
        assert_eq!(scale.place(0.0), 0.0);
        assert_eq!(scale.lines().len(), 5);
    }

    /// Proves that names can't break the picture, and that a logarithmic scale is said to be one.
    #[test]
    fn a_picture_is_well_formed_and_honest() {
        let chart = Chart {
            title: "a < b".into(),
            note: "n & m".into(),
            bars: vec![bar("<x>", 1.0), bar("y", 900.0)],
        };
        let svg = svg(&chart);
        assert!(svg.contains("a &lt; b") && svg.contains("n &amp; m") && svg.contains("&lt;x&gt;"));
        assert!(svg.contains("logarithmic scale"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(svg.contains("prefers-color-scheme: dark"));
    }

    /// Proves that numbers are readable.
    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(1_234_567.4), "1,234,567");
        assert_eq!(number(0.256), "0.26");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(200.0), "200");
    }
}
