//! How much a composition file may hold. Whoever checks a file may have it from somebody else.

use std::time::Duration;

/// The most bytes of a file.
pub const MOST_BYTES: usize = 1 << 20;
/// The most components.
pub const MOST_COMPONENTS: usize = 256;
/// The most routes.
pub const MOST_ROUTES: usize = 1024;
/// The most arguments of a component.
pub const MOST_ARGS: usize = 256;
/// The most bytes of one argument.
pub const LONGEST_ARG: usize = 4096;
/// The most services that a component provides.
pub const MOST_PROVIDED: usize = 64;
/// The most bytes of a path. The kernel wants one more for the end.
pub const LONGEST_PATH: usize = 4095;
/// The most bytes of a component's configuration, as text.
pub const MOST_CONFIG: usize = 64 << 10;
/// The most crashes of a restart intensity.
pub const MOST_CRASHES: u32 = 1000;
/// The longest period, of crashes and of heartbeats.
pub const LONGEST_PERIOD: Duration = Duration::from_secs(24 * 60 * 60);
/// How many compositions one can be within.
pub const MOST_NESTED: usize = 64;
/// The most problems that are said of a file. The others are counted.
pub const MOST_PROBLEMS: usize = 100;
