//! What a value can be: kinds, each with what it expects and how it is read.

use super::composition::{Config, Sandbox};
use super::limits;
use super::similar::did_you_mean;
use super::units;
use crate::name::{Name, Service};
use crate::route::{ServicePattern, Target};
use portcullis_component::CapQuota;
use portcullis_shm::RamQuota;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::{DeInteger, DeValue};

/// What a key wants.
pub(super) struct Kind<T> {
    /// In words.
    pub(super) expected: &'static str,
    /// From a value, or why not, where that is not plain from `expected`.
    pub(super) read: fn(&DeValue<'_>) -> Result<T, Option<String>>,
}

const PLAIN: &str = "a name: up to 64 letters, digits, '_', '-' or '.'";

pub(super) const NAME: Kind<Name> = Kind { expected: PLAIN, read: |value| parsed(value) };
pub(super) const CLIENT: Kind<Name> = Kind {
    expected: "the name of a component, or \"parent\"",
    read: |value| if text(value)? == "parent" { Ok(Name::parent()) } else { parsed(value) },
};
pub(super) const SERVICE: Kind<Service> = Kind { expected: PLAIN, read: |value| parsed(value) };
pub(super) const BINARY: Kind<PathBuf> = Kind { expected: "the path of an executable file", read: binary };
pub(super) const ARG: Kind<String> = Kind {
    expected: "a string of up to 4096 bytes without a NUL",
    read: |value| plain_text(value, limits::LONGEST_ARG),
};
pub(super) const RAM: Kind<RamQuota> = Kind { expected: units::SIZE, read: ram };
pub(super) const CAPS: Kind<CapQuota> = Kind {
    expected: "a number of capabilities, 1 or more",
    read: |value| Ok(CapQuota::new(count(value, 1, u64::MAX)?)),
};
pub(super) const CRASHES: Kind<u32> = Kind {
    expected: "a number of crashes, 0 to 1000",
    read: |value| u32::try_from(count(value, 0, limits::MOST_CRASHES.into())?).map_err(|_| None),
};
pub(super) const TIME: Kind<Duration> = Kind {
    expected: units::TIME,
    read: |value| match value {
        DeValue::Integer(number) => units::time(&number.to_string()),
        _ => units::time(text(value)?),
    },
};
pub(super) const SANDBOX: Kind<Sandbox> =
    Kind { expected: "\"strict\", \"available\" or \"off\"", read: sandbox };
pub(super) const CONFIG: Kind<Config> =
    Kind { expected: "a table, or a string that is handed on as it is", read: config };
pub(super) const SERVICE_PATTERN: Kind<ServicePattern> =
    Kind { expected: "the name of a service, or \"*\" for all of them", read: service_pattern };
pub(super) const TARGET: Kind<Target> =
    Kind { expected: "the name of a component, \"parent\" or \"denied\"", read: target };
pub(super) const HOP: Kind<String> =
    Kind { expected: "a hop: a string", read: |value| text(value).map(str::to_owned) };

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Option<String>> {
    value.as_str().ok_or(None)
}

/// Text that has a form of its own, which says itself what is wrong.
fn parsed<T: std::str::FromStr<Err: ToString>>(value: &DeValue<'_>) -> Result<T, Option<String>> {
    text(value)?.parse().map_err(|error: T::Err| Some(error.to_string()))
}

/// Text that can be handed to the kernel.
fn plain_text(value: &DeValue<'_>, longest: usize) -> Result<String, Option<String>> {
    let text = text(value)?;
    if text.len() > longest || text.contains('\0') { Err(None) } else { Ok(text.into()) }
}

fn binary(value: &DeValue<'_>) -> Result<PathBuf, Option<String>> {
    let path = plain_text(value, limits::LONGEST_PATH)?;
    if path.is_empty() { Err(None) } else { Ok(path.into()) }
}

/// A whole number within bounds.
fn count(value: &DeValue<'_>, least: u64, most: u64) -> Result<u64, Option<String>> {
    let number = value.as_integer().and_then(whole).ok_or(None)?;
    u64::try_from(number).ok().filter(|number| (least..=most).contains(number)).ok_or(None)
}

/// In whatever radix it is written; none if it is larger than any that is wanted.
fn whole(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

fn ram(value: &DeValue<'_>) -> Result<RamQuota, Option<String>> {
    match value {
        DeValue::Integer(_) => count(value, 1, u64::MAX).map(RamQuota::bytes),
        _ => units::size(text(value)?),
    }
}

fn sandbox(value: &DeValue<'_>) -> Result<Sandbox, Option<String>> {
    let said = text(value)?;
    let all = [Sandbox::Strict, Sandbox::Available, Sandbox::Off];
    let meant = all.into_iter().find(|sandbox| sandbox.as_str() == said);
    meant.ok_or_else(|| did_you_mean(said, all.map(Sandbox::as_str)))
}

fn service_pattern(value: &DeValue<'_>) -> Result<ServicePattern, Option<String>> {
    if text(value)? == "*" { Ok(ServicePattern::Any) } else { parsed(value).map(ServicePattern::Named) }
}

fn target(value: &DeValue<'_>) -> Result<Target, Option<String>> {
    match text(value)? {
        "parent" => Ok(Target::Parent),
        "denied" => Ok(Target::Denied),
        _ => parsed(value).map(Target::Child),
    }
}

fn config(value: &DeValue<'_>) -> Result<Config, Option<String>> {
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Table(_) => match plain(value)? {
            toml::Value::Table(table) => table.to_string(),
            _ => return Err(None),
        },
        _ => return Err(None),
    };
    if text.len() > limits::MOST_CONFIG {
        return Err(Some(format!("it has {} bytes, {} are the most", text.len(), limits::MOST_CONFIG)));
    }
    Ok(Config::new(text))
}

/// The same value without places. How deep tables lie in tables the parser has bounded.
fn plain(value: &DeValue<'_>) -> Result<toml::Value, Option<String>> {
    Ok(match value {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(number) => {
            let fits = whole(number).and_then(|number| i64::try_from(number).ok());
            toml::Value::Integer(fits.ok_or_else(|| Some(format!("{number} is beyond 64 bits")))?)
        }
        DeValue::Float(number) => toml::Value::Float(number.as_str().parse().map_err(|_| None)?),
        DeValue::Boolean(value) => toml::Value::Boolean(*value),
        DeValue::Datetime(time) => toml::Value::Datetime(*time),
        DeValue::Array(values) => {
            let values = values.iter().map(|value| plain(value.get_ref()));
            toml::Value::Array(values.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => {
            let entries =
                table.iter().map(|(key, value)| Ok((key.get_ref().to_string(), plain(value.get_ref())?)));
            toml::Value::Table(entries.collect::<Result<_, Option<String>>>()?)
        }
    })
}

/// What a value is, for an error: short, on one line.
pub(super) fn describe(value: &DeValue<'_>) -> String {
    const MOST: usize = 40;
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) if number.as_str().len() <= MOST => number.to_string(),
        DeValue::Integer(_) => "a very long number".into(),
        DeValue::Float(number) if number.as_str().len() <= MOST => number.as_str().into(),
        DeValue::Float(_) => "a very long number".into(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "an array".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

/// A text for an error: its first characters, in quotes.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
