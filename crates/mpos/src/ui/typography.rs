//! The sizes of text.

use tresen_typeset::{Face, TextStyle, Weight};

/// A text's rank: its size and, unless it is told otherwise, its weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Type {
    /// 13, second rank.
    Label,
    /// 15, what is read.
    #[default]
    Body,
    /// 17, on buttons.
    Action,
    /// 18, of a screen or a sheet.
    Title,
    /// 24, on keys.
    Key,
    /// 28, an amount.
    Amount,
    /// 36, an important amount.
    LargeAmount,
    /// 44, the one amount of a screen.
    HugeAmount,
}

impl Type {
    /// Its size in dp.
    pub const fn size(self) -> u16 {
        match self {
            Self::Label => 13,
            Self::Body => 15,
            Self::Action => 17,
            Self::Title => 18,
            Self::Key => 24,
            Self::Amount => 28,
            Self::LargeAmount => 36,
            Self::HugeAmount => 44,
        }
    }

    /// Its line height in dp, on the grid of 4.
    pub const fn line(self) -> i32 {
        match self {
            Self::Label => 16,
            Self::Body => 20,
            Self::Action | Self::Title => 24,
            Self::Key => 32,
            Self::Amount => 36,
            Self::LargeAmount => 44,
            Self::HugeAmount => 52,
        }
    }

    /// Its own weight.
    pub const fn weight(self) -> Weight {
        match self {
            Self::Label | Self::Body => Weight::Regular,
            Self::Key => Weight::Medium,
            _ => Weight::Semibold,
        }
    }

    /// Its font and size at `weight`. Amounts are set in the cut for large sizes, which has one weight.
    pub(crate) const fn style(self, weight: Weight) -> TextStyle {
        match self {
            Self::Amount | Self::LargeAmount | Self::HugeAmount => {
                TextStyle::new(Face::InterDisplay, self.size())
            }
            _ => TextStyle::new(Face::Inter(weight), self.size()),
        }
    }
}
