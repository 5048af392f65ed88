//! Points and rectangles in whole device pixels, y downwards.

/// A position in device pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Point {
    /// Pixels to the right.
    pub x: i32,
    /// Pixels downwards.
    pub y: i32,
}

impl Point {
    /// The origin.
    pub const ZERO: Self = Self { x: 0, y: 0 };

    /// The point at (`x`, `y`).
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y }
    }

    /// This point moved by `by`.
    pub const fn offset(self, by: Self) -> Self {
        Self { x: self.x + by.x, y: self.y + by.y }
    }
}

/// A width and a height in device pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Width in pixels.
    pub w: i32,
    /// Height in pixels.
    pub h: i32,
}

impl Size {
    /// `w` by `h` pixels.
    pub const fn new(w: i32, h: i32) -> Self {
        Self { w, h }
    }
}

/// Distances from the four edges in device pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Insets {
    /// From the left edge.
    pub left: i32,
    /// From the top edge.
    pub top: i32,
    /// From the right edge.
    pub right: i32,
    /// From the bottom edge.
    pub bottom: i32,
}

impl Insets {
    /// The same distance on every side.
    pub const fn all(px: i32) -> Self {
        Self { left: px, top: px, right: px, bottom: px }
    }
}

/// A half-open rectangle: pixels `x..x+w`, `y..y+h`. Empty when a side is not positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

impl Rect {
    /// The rectangle with its top left corner at (`x`, `y`).
    pub const fn new(x: i32, y: i32, w: i32, h: i32) -> Self {
        Self { x, y, w, h }
    }

    /// A rectangle of `size` at the origin.
    pub const fn of_size(size: Size) -> Self {
        Self { x: 0, y: 0, w: size.w, h: size.h }
    }

    /// First column to the right of it.
    pub const fn right(self) -> i32 {
        self.x + self.w
    }

    /// First row below it.
    pub const fn bottom(self) -> i32 {
        self.y + self.h
    }

    /// Its top left corner.
    pub const fn origin(self) -> Point {
        Point { x: self.x, y: self.y }
    }

    /// Its width and height.
    pub const fn size(self) -> Size {
        Size { w: self.w, h: self.h }
    }

    /// Whether it holds no pixel.
    pub const fn is_empty(self) -> bool {
        self.w <= 0 || self.h <= 0
    }

    /// Whether `p` lies inside.
    pub const fn contains(self, p: Point) -> bool {
        p.x >= self.x && p.y >= self.y && p.x < self.right() && p.y < self.bottom()
    }

    /// This rectangle moved by `by`.
    pub const fn offset(self, by: Point) -> Self {
        Self { x: self.x + by.x, y: self.y + by.y, w: self.w, h: self.h }
    }

    /// The pixels both hold; empty (zero) when none.
    pub fn intersect(self, other: Self) -> Self {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (self.right().min(other.right()), self.bottom().min(other.bottom()));
        if right <= x || bottom <= y { Self::default() } else { Self::new(x, y, right - x, bottom - y) }
    }

    /// The smallest rectangle around both; an empty one adds nothing.
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self::new(x, y, self.right().max(other.right()) - x, self.bottom().max(other.bottom()) - y)
    }

    /// This rectangle without `by` on each side.
    pub const fn inset(self, by: Insets) -> Self {
        Self {
            x: self.x + by.left,
            y: self.y + by.top,
            w: self.w - by.left - by.right,
            h: self.h - by.top - by.bottom,
        }
    }
}
