//! What a demo reads.

use crate::failure::Failure;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What is counted where no README.md is found: the one of this workspace.
const README: &str = include_str!("../../../README.md");

/// An open input. The client component gets it as its standard input: it can open nothing itself.
#[derive(Debug)]
pub(crate) struct Input {
    name: OsString,
    /// The size of a regular file, in bytes.
    length: Option<u64>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File(File),
    Text(&'static str),
}

impl Input {
    /// Opens a file, standard input for "-", or the README.
    pub(crate) fn open(file: Option<PathBuf>) -> Result<Input, Failure> {
        match file.or_else(readme) {
            Some(file) => Input::file(&file),
            None => Ok(Input {
                name: "README.md".into(),
                length: Some(README.len() as u64),
                source: Source::Text(README),
            }),
        }
    }

    fn file(path: &Path) -> Result<Input, Failure> {
        let name = path.display().to_string();
        let opened = if path.as_os_str() == "-" {
            std::io::stdin().as_fd().try_clone_to_owned().map(File::from)
        } else {
            File::open(path)
        };
        let opened = opened.and_then(|file| Ok((file.metadata()?, file)));
        match opened {
            Err(error) => Err(Failure::Input { name, error }),
            Ok((metadata, _)) if metadata.is_dir() => Err(Failure::Directory(name)),
            Ok((metadata, file)) => Ok(Input {
                name: path.into(),
                length: metadata.is_file().then_some(metadata.len()),
                source: Source::File(file),
            }),
        }
    }

    /// As it was named.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    /// The size of a regular file, in bytes.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// All of it, if it is neither empty nor larger than so many bytes.
    pub(crate) fn read(self, most: usize) -> Result<Vec<u8>, Failure> {
        let name = self.name.display().to_string();
        let mut bytes = Vec::new();
        match self.source {
            Source::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Source::File(file) => {
                let read = file.take(most as u64 + 1).read_to_end(&mut bytes);
                read.map_err(|error| Failure::Input { name: name.clone(), error })?;
            }
        }
        match bytes.len() {
            0 => Err(Failure::Empty(name)),
            length if length > most => Err(Failure::TooLarge { name, most }),
            _ => Ok(bytes),
        }
    }

    /// As the standard input of a child process.
    pub(crate) fn into_stdio(self) -> std::io::Result<Stdio> {
        match self.source {
            Source::File(file) => Ok(file.into()),
            Source::Text(text) => {
                let (read_end, mut write_end) = std::io::pipe()?;
                // A thread, since a pipe may hold less than the text. If the child ends early, nobody wants the rest.
                std::thread::spawn(move || drop(write_end.write_all(text.as_bytes())));
                Ok(read_end.into())
            }
        }
    }
}

/// The README.md of the directory that we are in, or of one above.
fn readme() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let above = std::iter::successors(Some(PathBuf::new()), |path| Some(path.join("..")));
    here.ancestors().zip(above).map(|(_, path)| path.join("README.md")).find(|path| path.is_file())
}
