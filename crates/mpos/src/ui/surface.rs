//! What elements lie on: cards, paper, sheets.

use super::Ink;

/// What an element lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Surface {
    pub(super) fill: Ink,
    pub(super) line: Option<Ink>,
    pub(super) radius: i32,
    pub(super) shadow: Shadow,
    pub(super) corners: SurfaceCorners,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shadow {
    None,
    Low,
    High,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SurfaceCorners {
    All,
    Top,
}

impl Surface {
    /// A plain area of a colour.
    pub const fn plain(fill: Ink) -> Self {
        Self { fill, line: None, radius: 0, shadow: Shadow::None, corners: SurfaceCorners::All }
    }

    /// A card: a hairline around it, corners of 12 dp.
    pub const fn card() -> Self {
        Self { line: Some(Ink::Line), radius: 12, ..Self::plain(Ink::Card) }
    }

    /// Paper that lies on the ground: corners of 12 dp and a shadow.
    pub const fn paper() -> Self {
        Self { radius: 12, shadow: Shadow::Low, ..Self::plain(Ink::Card) }
    }

    /// A sheet that comes up from the lower edge: upper corners of 20 dp and a shadow.
    pub const fn sheet() -> Self {
        Self { radius: 20, shadow: Shadow::High, corners: SurfaceCorners::Top, ..Self::plain(Ink::Card) }
    }

    /// The same with corners of `radius` dp.
    pub const fn radius(self, radius: i32) -> Self {
        Self { radius, ..self }
    }

    /// The same within a hairline of this colour.
    pub const fn line(self, line: Ink) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The same in another colour.
    pub const fn fill(self, fill: Ink) -> Self {
        Self { fill, ..self }
    }
}
