//! Rows as a picture.

use super::row::Row;
use super::table::{ratio, time};
use crate::error::Error;
use std::path::Path;
use svg::Document;
use svg::node::element::{Group, Line, Rectangle, Text};

/// Sizes in pixels.
const WIDTH: f64 = 1040.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 290.0;
const TOP: f64 = 76.0;
const BOTTOM: f64 = 64.0;
const BAR: f64 = 13.0;
const GROUP: f64 = 40.0;

const OURS: &str = "#1f5fa8";
const FLOOR: &str = "#b9bfc7";
const INK: &str = "#222222";
const GRID: &str = "#dddddd";

/// Writes the rows as an SVG: for each case a bar for ours and one for its floor, on a logarithmic scale, and their
/// ratio beside them. A thin line reaches to our 99th percentile.
///
/// ```
/// let rows = [portcullis_bench::Row { case: "both-awake/0".into(), ..Default::default() }];
/// let path = std::env::temp_dir().join(format!("portcullis-plot-{}.svg", std::process::id()));
/// portcullis_bench::plot::write(&rows, &path)?;
/// # std::fs::remove_file(&path).ok();
/// # Ok::<_, portcullis_bench::Error>(())
/// ```
///
/// # Errors
/// [`Error::Plot`] if the file cannot be written.
pub fn write(rows: &[Row], path: &Path) -> Result<(), Error> {
    svg::save(path, &document(rows)).map_err(|reason| Error::Plot { path: path.into(), reason })
}

/// The picture.
fn document(rows: &[Row]) -> Document {
    let height = TOP + GROUP * rows.len() as f64 + BOTTOM;
    let scale = Scale::of(rows);
    let mut document = Document::new()
        .set("viewBox", (0, 0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("font-family", "system-ui, sans-serif")
        .set("font-size", 14)
        .add(Rectangle::new().set("width", WIDTH).set("height", height).set("fill", "white"))
        .add(
            text("Portcullis beside the floor of the machine", WIDTH / 2.0, 28.0, "middle")
                .set("font-size", 18),
        )
        .add(legend())
        .add(axis(&scale, height));
    for (index, row) in rows.iter().enumerate() {
        document = document.add(group(row, TOP + GROUP * index as f64, &scale));
    }
    document
}

/// Whole powers of ten that hold all times.
struct Scale {
    from: i32,
    to: i32,
}

impl Scale {
    fn of(rows: &[Row]) -> Scale {
        let times = || rows.iter().flat_map(|row| [row.ours_p50_ns, row.ours_p99_ns, row.floor_p50_ns]);
        let shortest = times().min().unwrap_or(1).max(1);
        let longest = times().max().unwrap_or(1).max(1);
        let power = |time: u64| i32::try_from(time.ilog10()).unwrap_or(0);
        Scale { from: power(shortest), to: power(longest) + 1 }
    }

    /// Where a time lies, in pixels from the left.
    fn place(&self, nanoseconds: u64) -> f64 {
        let part =
            ((nanoseconds.max(1) as f64).log10() - f64::from(self.from)) / f64::from(self.to - self.from);
        LEFT + part.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }
}

fn text(content: impl Into<String>, x: f64, y: f64, anchor: &str) -> Text {
    Text::new(content).set("x", x).set("y", y).set("text-anchor", anchor).set("fill", INK)
}

fn legend() -> Group {
    let y = 46.0;
    let swatch = |x: f64, color: &str| {
        Rectangle::new().set("x", x).set("y", y).set("width", BAR).set("height", BAR).set("fill", color)
    };
    Group::new()
        .add(swatch(LEFT, OURS))
        .add(text("ours, median; thin line: 99th percentile", LEFT + 20.0, y + 12.0, "start"))
        .add(swatch(LEFT + 310.0, FLOOR))
        .add(text("floor, median", LEFT + 330.0, y + 12.0, "start"))
}

fn axis(scale: &Scale, height: f64) -> Group {
    let bottom = height - BOTTOM;
    let mut axis = Group::new();
    for power in scale.from..=scale.to {
        let nanoseconds = 10_u64.saturating_pow(power.unsigned_abs());
        let x = scale.place(nanoseconds);
        axis = axis.add(line((x, TOP - 6.0), (x, bottom), GRID)).add(text(
            round_time(nanoseconds),
            x,
            bottom + 20.0,
            "middle",
        ));
    }
    axis.add(text(
        "time of one operation (logarithmic)",
        (LEFT + WIDTH - RIGHT) / 2.0,
        bottom + 46.0,
        "middle",
    ))
    .add(text("ratio to the floor", WIDTH - 16.0, TOP - 14.0, "end"))
}

/// A power of ten without decimals.
fn round_time(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{} µs", nanoseconds / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", nanoseconds / 1_000_000),
        _ => format!("{} s", nanoseconds / 1_000_000_000),
    }
}

fn line(from: (f64, f64), to: (f64, f64), color: &str) -> Line {
    Line::new().set("x1", from.0).set("y1", from.1).set("x2", to.0).set("y2", to.1).set("stroke", color)
}

/// The two bars of a case, its name before and the ratio behind them.
fn group(row: &Row, y: f64, scale: &Scale) -> Group {
    let bar = |y: f64, nanoseconds: u64, color: &str| {
        let width = (scale.place(nanoseconds) - LEFT).max(1.0);
        Rectangle::new().set("x", LEFT).set("y", y).set("width", width).set("height", BAR).set("fill", color)
    };
    let floor_y = y + BAR + 1.0;
    let (p50, p99) = (scale.place(row.ours_p50_ns), scale.place(row.ours_p99_ns));
    let middle = y + BAR / 2.0;
    let label = |x: f64, said: String, y: f64| text(said, x + 5.0, y + 11.0, "start").set("font-size", 11);
    let ours = format!("{} (p99 {})", time(row.ours_p50_ns), time(row.ours_p99_ns));
    let of = if row.ours_per_s.is_some() { " in packets/s" } else { "" };
    let ratio = format!("{} × {}{of}", ratio(row.ratio), row.floor);
    Group::new()
        .add(text(row.case.as_str(), LEFT - 10.0, y + BAR + 5.0, "end"))
        .add(bar(y, row.ours_p50_ns, OURS))
        .add(line((p50, middle), (p99.max(p50), middle), OURS))
        .add(label(p99.max(p50), ours, y))
        .add(bar(floor_y, row.floor_p50_ns, FLOOR))
        .add(label(scale.place(row.floor_p50_ns), time(row.floor_p50_ns), floor_y))
        .add(text(ratio, WIDTH - 16.0, y + BAR + 5.0, "end"))
}
