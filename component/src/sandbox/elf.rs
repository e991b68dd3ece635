//! What an executable file says of the libraries that it needs.
//!
//! The file is somebody else's: every number is checked, and what is read is bounded.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const MOST_PROGRAM_HEADERS: usize = 128;
const DYNAMIC_ENTRY: usize = 16;
const MOST_DYNAMIC: usize = 1 << 16;
pub(crate) const LONGEST_NAME: usize = 4096;
pub(crate) const MOST_NEEDED: usize = 256;
/// No program is that long, and further on there are offsets that the system refuses.
const LONGEST_FILE: u64 = 1 << 40;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

/// What it needs beside itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The path of the loader; a program that is linked statically has none.
    pub(crate) loader: Option<OsString>,
    /// Names of libraries.
    pub(crate) libraries: Vec<OsString>,
}

impl Needs {
    /// Reads them. `None` if it is no executable or library of this machine's kind.
    pub(crate) fn of(file: &File) -> io::Result<Option<Needs>> {
        match read(file) {
            Ok(needs) => Ok(Some(needs)),
            Err(Failure::Malformed) => Ok(None),
            Err(Failure::Unread(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(Failure::Unread(error)) => Err(error),
        }
    }
}

enum Failure {
    Malformed,
    Unread(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Unread(error)
    }
}

/// Part of the file, and where in memory it would be.
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

fn read(file: &File) -> Result<Needs, Failure> {
    let header = bytes(file, 0, HEADER)?;
    // 64 bits, little-endian; an executable or a shared object.
    let known = header.starts_with(b"\x7fELF\x02\x01")
        && matches!(u16_at(&header, 16)?, 2 | 3)
        && u16_at(&header, 18)? == MACHINE
        && usize::from(u16_at(&header, 54)?) == PROGRAM_HEADER;
    let count = usize::from(u16_at(&header, 56)?);
    if !known || count > MOST_PROGRAM_HEADERS {
        return Err(Failure::Malformed);
    }
    let headers = bytes(file, u64_at(&header, 32)?, count * PROGRAM_HEADER)?;
    let segments = headers
        .chunks_exact(PROGRAM_HEADER)
        .map(|header| {
            Ok(Segment {
                kind: u32_at(header, 0)?,
                offset: u64_at(header, 8)?,
                address: u64_at(header, 16)?,
                size: u64_at(header, 32)?,
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let of_kind = |kind| segments.iter().find(move |segment| segment.kind == kind);

    let loader = of_kind(PT_INTERP).map(|segment| name(file, segment.offset)).transpose()?;
    let Some(dynamic) = of_kind(PT_DYNAMIC) else { return Ok(Needs { loader, libraries: Vec::new() }) };
    let size = usize::try_from(dynamic.size).ok().filter(|size| *size <= MOST_DYNAMIC);
    let dynamic = bytes(file, dynamic.offset, size.ok_or(Failure::Malformed)?)?;
    let entries = dynamic
        .chunks_exact(DYNAMIC_ENTRY)
        .map(|entry| Ok((u64_at(entry, 0)?, u64_at(entry, 8)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let entries = entries.split(|(tag, _)| *tag == 0).next().unwrap_or_default();
    let needed: Vec<u64> =
        entries.iter().filter(|(tag, _)| *tag == DT_NEEDED).map(|(_, value)| *value).collect();
    if needed.is_empty() {
        return Ok(Needs { loader, libraries: Vec::new() });
    }
    if needed.len() > MOST_NEEDED {
        return Err(Failure::Malformed);
    }
    let strings = entries.iter().find(|(tag, _)| *tag == DT_STRTAB).ok_or(Failure::Malformed)?.1;
    let strings = segments
        .iter()
        .filter(|segment| segment.kind == PT_LOAD)
        .find_map(|segment| {
            let inside = strings.checked_sub(segment.address).filter(|inside| *inside < segment.size)?;
            segment.offset.checked_add(inside)
        })
        .ok_or(Failure::Malformed)?;
    let libraries = needed
        .into_iter()
        .map(|at| name(file, strings.checked_add(at).ok_or(Failure::Malformed)?))
        .collect::<Result<_, _>>()?;
    Ok(Needs { loader, libraries })
}

/// The text that begins there and ends with a null.
fn name(file: &File, offset: u64) -> Result<OsString, Failure> {
    let mut text = Vec::new();
    let mut part = [0; 256];
    while text.len() < LONGEST_NAME {
        let length = file.read_at(&mut part, within(offset)? + text.len() as u64)?;
        let part = part.get(..length).unwrap_or_default();
        match part.iter().position(|byte| *byte == 0) {
            Some(end) => {
                text.extend_from_slice(part.get(..end).unwrap_or_default());
                return Ok(OsString::from_vec(text));
            }
            None if part.is_empty() => break,
            None => text.extend_from_slice(part),
        }
    }
    Err(Failure::Malformed)
}

fn bytes(file: &File, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, within(offset)?)?;
    Ok(bytes)
}

fn within(offset: u64) -> Result<u64, Failure> {
    if offset < LONGEST_FILE { Ok(offset) } else { Err(Failure::Malformed) }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Failure> {
    let range: Range<usize> = at..at + N;
    bytes.get(range).and_then(|field| field.try_into().ok()).ok_or(Failure::Malformed)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Failure> {
    field(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Failure> {
    field(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, Failure> {
    field(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::fuzzing::needs as needs_of;

    #[test]
    fn this_program_needs_a_loader_and_a_c_library() {
        let needs = Needs::of(&File::open("/proc/self/exe").unwrap()).unwrap().unwrap();
        assert!(needs.loader.is_some());
        let c = |name: &OsString| name.to_string_lossy().starts_with("libc");
        assert!(needs.libraries.iter().any(c), "{needs:?}");
    }

    #[test]
    fn what_is_no_program_says_nothing() {
        for bytes in [&b""[..], b"#!/bin/sh\n", &[0x7f; 64], b"\x7fELF\x02\x01"] {
            assert_eq!(needs_of(bytes), None);
        }
    }

    /// Every number of the headers that matter, one after the other, as large as can be, and the file cut short.
    #[test]
    fn a_program_that_lies_is_refused_or_read_and_no_more() {
        let honest = std::fs::read("/proc/self/exe").unwrap();
        let honest = &honest[..honest.len().min(4096)];
        for at in (0..honest.len().min(HEADER + 16 * PROGRAM_HEADER)).step_by(2) {
            for value in [0, 0x7f, 0xff] {
                let mut lying = honest.to_vec();
                let end = (at + 8).min(lying.len());
                lying[at..end].fill(value);
                needs_of(&lying);
            }
            needs_of(&honest[..at]);
        }
    }
}
