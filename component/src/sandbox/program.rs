//! What a component runs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program with its arguments and its environment.
///
/// ```
/// use portcullis_component::sandbox::Program;
///
/// let program = Program::new("/usr/libexec/counter").argument("--words").variable("RUST_BACKTRACE", "1");
/// assert_eq!(program.path(), std::path::Path::new("/usr/libexec/counter"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
}

impl Program {
    /// The program at that path. It is not searched for.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Program {
        Program { path: path.into(), arguments: Vec::new(), variables: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Program {
        self.arguments.push(argument.into());
        self
    }

    /// Adds a variable to the environment. A sandbox passes on no other.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Program {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The arguments, the path first.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = OsString> {
        std::iter::once(self.path.clone().into()).chain(self.arguments.iter().cloned())
    }

    /// The environment, as a program is given it.
    pub(crate) fn environment(&self) -> impl Iterator<Item = OsString> {
        self.variables.iter().map(|(name, value)| [name, OsStr::new("="), value].into_iter().collect())
    }

    /// To be started without a sandbox.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}
