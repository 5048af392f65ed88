//! Colours as tokens.

use tresen_scene::Color;

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Dark letters on paper.
    #[default]
    Light,
    /// Light letters on near black.
    Dark,
}

/// A colour by what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ink {
    /// Behind everything.
    Ground,
    /// What lies on the ground: cards, tiles, keys.
    Card,
    /// Hairlines.
    Line,
    /// Text.
    #[default]
    Text,
    /// Text of second rank.
    Muted,
    /// What goes on.
    Accent,
    /// Under accented text.
    AccentTint,
    /// On a filled accent.
    OnAccent,
    /// Late, failed, dangerous.
    Late,
    /// Under late text.
    LateTint,
    /// On a filled late.
    OnLate,
    /// Waits for you.
    Waits,
    /// Under waiting text.
    WaitsTint,
    /// Something pressed, or a quiet button.
    Pressed,
    /// The bar at the top, and the chosen chip in light.
    Bar,
    /// Text on the bar.
    OnBar,
    /// Text of second rank on the bar.
    OnBarMuted,
    /// The chosen chip.
    Chosen,
    /// Text on the chosen chip.
    OnChosen,
    /// Over a screen that waits behind a sheet.
    Dim,
    /// Laid over whatever is pressed.
    Press,
    /// Laid over what is pressed and filled with the accent.
    PressFilled,
    /// A shadow.
    Shadow,
}

impl Ink {
    /// The colour in `theme`.
    pub const fn color(self, theme: Theme) -> Color {
        match theme {
            Theme::Light => self.light(),
            Theme::Dark => self.dark(),
        }
    }

    const fn light(self) -> Color {
        match self {
            Self::Ground => Color::rgb(0xF4_F3EF),
            Self::Card => Color::rgb(0xFF_FFFF),
            Self::Line => Color::rgb(0xE2_E0D9),
            Self::Text => Color::rgb(0x1B_1D1F),
            Self::Muted => Color::rgb(0x66_6B72),
            Self::Accent => Color::rgb(0x0B_6E4F),
            Self::AccentTint => Color::rgb(0xE3_F1EB),
            Self::OnAccent => Color::rgb(0xFF_FFFF),
            Self::Late => Color::rgb(0xB4_471D),
            Self::LateTint => Color::rgb(0xFB_EADF),
            Self::OnLate => Color::rgb(0xFF_FFFF),
            Self::Waits => Color::rgb(0x8D_6100),
            Self::WaitsTint => Color::rgb(0xFB_F1D7),
            Self::Pressed => Color::rgb(0xED_EBE5),
            Self::Bar => Color::rgb(0x1B_1D1F),
            Self::OnBar => Color::rgb(0xF1_F2F3),
            Self::OnBarMuted => Color::rgb(0x9B_A1A8),
            Self::Chosen => Color::rgb(0x1B_1D1F),
            Self::OnChosen => Color::rgb(0xFF_FFFF),
            Self::Dim => Color::rgb(0x10_1214).with_alpha(112),
            // Turns a white card into exactly the token "pressed", and darkens everything else alike.
            Self::Press => Color::rgb(0x4B_3700).with_alpha(25),
            Self::PressFilled => Color::rgb(0x10_1214).with_alpha(60),
            Self::Shadow => Color::rgb(0x1B_1D1F).with_alpha(26),
        }
    }

    const fn dark(self) -> Color {
        match self {
            Self::Ground => Color::rgb(0x10_1214),
            Self::Card => Color::rgb(0x1A_1D20),
            Self::Line => Color::rgb(0x2A_2E33),
            Self::Text => Color::rgb(0xF1_F2F3),
            Self::Muted => Color::rgb(0x9B_A1A8),
            Self::Accent => Color::rgb(0x34_C28C),
            Self::AccentTint => Color::rgb(0x12_352A),
            Self::OnAccent => Color::rgb(0x10_1214),
            Self::Late => Color::rgb(0xFF_8A5C),
            Self::LateTint => Color::rgb(0x3A_2118),
            Self::OnLate => Color::rgb(0x10_1214),
            Self::Waits => Color::rgb(0xF0_BE4B),
            Self::WaitsTint => Color::rgb(0x33_290F),
            Self::Pressed => Color::rgb(0x24_282C),
            Self::Bar => Color::rgb(0x1A_1D20),
            Self::OnBar => Color::rgb(0xF1_F2F3),
            Self::OnBarMuted => Color::rgb(0x9B_A1A8),
            Self::Chosen => Color::rgb(0xF1_F2F3),
            Self::OnChosen => Color::rgb(0x10_1214),
            Self::Dim => Color::rgb(0x00_0000).with_alpha(150),
            Self::Press => Color::rgb(0xFF_FFFF).with_alpha(22),
            Self::PressFilled => Color::rgb(0x10_1214).with_alpha(60),
            Self::Shadow => Color::rgb(0x00_0000).with_alpha(90),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.2.
    fn luminance(color: Color) -> f64 {
        let linear = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)
    }

    fn contrast(one: Color, two: Color) -> f64 {
        let (one, two) = (luminance(one) + 0.05, luminance(two) + 0.05);
        one.max(two) / one.min(two)
    }

    /// Promise of the look: text has a contrast of at least 4.5:1 on whatever it stands.
    #[test]
    fn text_stands_out() {
        let pairs = [
            (
                Ink::Text,
                &[Ink::Ground, Ink::Card, Ink::Pressed, Ink::AccentTint, Ink::LateTint, Ink::WaitsTint][..],
            ),
            (
                Ink::Muted,
                &[Ink::Ground, Ink::Card, Ink::Pressed, Ink::AccentTint, Ink::LateTint, Ink::WaitsTint],
            ),
            (Ink::Accent, &[Ink::Ground, Ink::Card, Ink::AccentTint]),
            (Ink::Late, &[Ink::Ground, Ink::Card, Ink::LateTint]),
            (Ink::Waits, &[Ink::Ground, Ink::Card, Ink::WaitsTint]),
            (Ink::OnAccent, &[Ink::Accent]),
            (Ink::OnLate, &[Ink::Late]),
            (Ink::OnBar, &[Ink::Bar]),
            (Ink::OnBarMuted, &[Ink::Bar]),
            (Ink::OnChosen, &[Ink::Chosen]),
        ];
        for theme in [Theme::Light, Theme::Dark] {
            for (ink, grounds) in pairs {
                for ground in grounds {
                    let found = contrast(ink.color(theme), ground.color(theme));
                    assert!(found >= 4.5, "{ink:?} on {ground:?} in {theme:?}: {found:.2}");
                }
            }
        }
    }
}
