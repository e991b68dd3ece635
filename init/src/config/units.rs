//! Sizes and times with units.

use portcullis_shm::RamQuota;
use std::time::Duration;
use thiserror::Error;

/// What a size looks like.
pub(super) const SIZE: &str = "a size of one byte at least: 4096, \"512K\", \"4M\" or \"2G\"";
/// What a time looks like.
pub(super) const TIME: &str = "a time with its unit, of a day at most: \"500ms\", \"5s\", \"2m\" or \"1h\"";

/// A number without sign or blanks, and what follows it.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    // An unsigned number of no digits, or of too many, is none.
    text[..end].parse().ok().map(|number| (number, &text[end..]))
}

/// A size in words. What is wrong with it, where that is not plain to see.
pub(super) fn size(text: &str) -> Result<RamQuota, Option<String>> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let too_large = || Some("that is more than can be counted".to_owned());
    let (number, unit) = split(text).ok_or_else(|| digits.then(too_large).flatten())?;
    let factor: u64 = match unit {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        other => return Err(meant(number, other)),
    };
    match number.checked_mul(factor) {
        Some(0) => Err(None),
        Some(bytes) => Ok(RamQuota::bytes(bytes)),
        None => Err(too_large()),
    }
}

/// An amount of RAM as a composition file has it.
///
/// ```
/// use portcullis_init::{RamQuota, ram};
///
/// assert_eq!(ram("4M")?, RamQuota::mib(4));
/// # Ok::<_, portcullis_init::NoSize>(())
/// ```
///
/// # Errors
/// [`NoSize`]
pub fn ram(text: &str) -> Result<RamQuota, NoSize> {
    size(text).map_err(|hint| NoSize { hint })
}

/// An amount of RAM as a composition file has it: in the largest unit that leaves no rest.
///
/// ```
/// use portcullis_init::{RamQuota, written};
///
/// assert_eq!(written(RamQuota::mib(4)), "4M");
/// assert_eq!(written(RamQuota::bytes(1000)), "1000");
/// ```
#[must_use]
pub fn written(ram: RamQuota) -> String {
    let bytes = ram.in_bytes();
    let units = [(30, "G"), (20, "M"), (10, "K")];
    match units.into_iter().find(|(bits, _)| bytes != 0 && bytes.trailing_zeros() >= *bits) {
        Some((bits, unit)) => format!("{}{unit}", bytes >> bits),
        None => bytes.to_string(),
    }
}

/// Why something is no size.
///
/// ```
/// let error = portcullis_init::ram("4MB").unwrap_err();
/// assert!(error.to_string().ends_with("did you mean \"4M\"?"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected {SIZE}{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct NoSize {
    hint: Option<String>,
}

/// The same size as it is written here.
fn meant(number: u64, unit: &str) -> Option<String> {
    let unit = unit.trim().to_ascii_uppercase();
    let letter = matches!(unit.as_str(), "K" | "KB" | "KIB" | "M" | "MB" | "MIB" | "G" | "GB" | "GIB");
    letter.then(|| format!("did you mean \"{number}{}\"?", &unit[..1]))
}

/// A time in words, of a day at most and more than none.
pub(super) fn time(text: &str) -> Result<Duration, Option<String>> {
    let (number, unit) = split(text).ok_or(None)?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60 * 1_000,
        "h" => 60 * 60 * 1_000,
        "" => return Err(Some(format!("did you mean \"{number}s\"?"))),
        _ => return Err(None),
    };
    let time = number.checked_mul(milliseconds).map(Duration::from_millis);
    time.filter(|time| !time.is_zero() && *time <= super::limits::LONGEST_PERIOD).ok_or(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("1", 1),
            ("4096", 4096),
            ("512K", 512 << 10),
            ("4M", 4 << 20),
            ("2G", 2 << 30),
            ("18446744073709551615", u64::MAX),
            ("17179869183G", 17_179_869_183 << 30),
        ] {
            let size = size(text).unwrap();
            assert_eq!(size.in_bytes(), bytes, "{text}");
        }
        for text in ["", "M", "-1", "+1", "1.5M", "4 Q", "0", "0M", "4MM", "ü", "4Mü"] {
            assert_eq!(size(text), Err(None), "{text}");
        }
        for (text, hint) in [
            ("17179869184G", "that is more than can be counted"),
            ("18446744073709551616", "that is more than can be counted"),
            ("4MiB", "did you mean \"4M\"?"),
            ("4 kb", "did you mean \"4K\"?"),
            ("4g", "did you mean \"4G\"?"),
        ] {
            assert_eq!(size(text), Err(Some(hint.into())), "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, milliseconds) in
            [("1ms", 1), ("500ms", 500), ("5s", 5_000), ("2m", 120_000), ("24h", 86_400_000)]
        {
            assert_eq!(time(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "0s", "0ms", "25h", "5 s", "5S", "1d", "-1s", "1.5s", "99999999999999999999s"] {
            assert_eq!(time(text), Err(None), "{text}");
        }
        assert_eq!(time("18446744073709551615h"), Err(None));
        assert_eq!(time("5"), Err(Some("did you mean \"5s\"?".into())));
    }
}
