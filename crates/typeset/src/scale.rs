//! From density-independent pixels to device pixels.

/// Device pixels for each density-independent pixel (dp), in hundredths, 1 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scale(u16);

impl Scale {
    /// One device pixel a dp.
    pub const ONE: Self = Self(100);

    /// A scale of `hundredths` / 100, brought into the range 1 to 4.
    pub const fn from_hundredths(hundredths: u16) -> Self {
        Self(if hundredths < 100 {
            100
        } else if hundredths > 400 {
            400
        } else {
            hundredths
        })
    }

    /// The scale in hundredths.
    pub const fn hundredths(self) -> u16 {
        self.0
    }

    /// `dp` in whole device pixels, rounded half away from zero.
    pub fn px(self, dp: f32) -> i32 {
        (dp * f32::from(self.0) / 100.0).round() as i32
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self::ONE
    }
}
