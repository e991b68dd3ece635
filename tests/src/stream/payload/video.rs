//! Frames of a camera.

use super::{Outcome, Wrong};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// The control fields of a captured picture, or of the part of it that has changed: a byte a pixel, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct VideoFrame {
    /// When it was captured, in nanoseconds since some point in time.
    pub captured: u64,
    /// Its number. Some may be missing.
    pub number: u32,
    /// The left edge of the part, in pixels.
    pub x: u16,
    /// The upper edge.
    pub y: u16,
    /// The width.
    pub width: u16,
    /// The height.
    pub height: u16,
    /// What came of it.
    pub outcome: Outcome,
    /// Nothing.
    pub reserved: u16,
}

/// The measures of a picture, in pixels.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// The width.
    pub width: u16,
    /// The height.
    pub height: u16,
}

/// The screen of the tests.
pub const SCREEN: Screen = Screen { width: 64, height: 48 };

/// A part that lies on the screen, and is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    first: usize,
    width: usize,
    stride: usize,
}

impl Area {
    /// Puts its pixels, row by row, where they belong.
    pub fn draw(self, pixels: &[u8], screen: &mut [u8]) {
        for (from, to) in pixels.chunks(self.width).zip(screen[self.first..].chunks_mut(self.stride)) {
            to[..from.len()].copy_from_slice(from);
        }
    }
}

impl VideoFrame {
    /// Which part of the screen is meant, for a packet of that size that comes after what was captured then.
    ///
    /// # Errors
    /// The part does not lie on the screen, the packet has not as many bytes, or its time went back.
    pub fn check(&self, size: usize, screen: Screen, last: u64) -> Result<Area, Wrong> {
        let [x, y, width, height] = [self.x, self.y, self.width, self.height].map(usize::from);
        let (stride, rows) = (usize::from(screen.width), usize::from(screen.height));
        if width == 0 || height == 0 || x + width > stride || y + height > rows {
            return Err(Wrong("the part does not lie on the screen"));
        }
        if size != width * height {
            return Err(Wrong("the packet has another size than the part"));
        }
        if self.captured < last {
            return Err(Wrong("it was captured before the last one"));
        }
        Ok(Area { first: y * stride + x, width, stride })
    }
}
